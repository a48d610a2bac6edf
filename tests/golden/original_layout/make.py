"""Makes the tables of this folder: tiny models in the original single-file layout and what diffusers makes of them.

The original names are laid out as the ldm and sgm networks define them (openaimodel.py, model.py, open_clip); diffusers' own conversion is
run over them, and the result is loaded strictly into diffusers' and transformers' networks, so a wrong original name cannot pass.
Tensor number k of "original" holds k * 2^20 + (0, 1, 2, ...) in float64; each converted tensor is told by its shape, its second and last
element and its sum, which shows slices, transpositions and swaps.

usage: python make.py PATH_OF_DIFFUSERS/scripts/convert_svd_to_diffusers.py
made with diffusers 0.42.1, transformers 5.23.0, torch 2.11.0
"""
import importlib.util, json, sys
from pathlib import Path
import torch
from diffusers import AutoencoderKL, AutoencoderKLTemporalDecoder, UNet2DConditionModel, UNetSpatioTemporalConditionModel
from diffusers.loaders import single_file_utils as ldm
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection

HERE = Path(__file__).parent


def resblock(names, at, cin, cout, emb, video=False):
    def half(p, k):
        names.update({p + 'in_layers.0.weight': [cin], p + 'in_layers.0.bias': [cin], p + 'in_layers.2.weight': [cout, cin, *k], p + 'in_layers.2.bias': [cout],
                      p + 'emb_layers.1.weight': [cout, emb], p + 'emb_layers.1.bias': [cout], p + 'out_layers.0.weight': [cout], p + 'out_layers.0.bias': [cout],
                      p + 'out_layers.3.weight': [cout, cout, *k], p + 'out_layers.3.bias': [cout]})
    half(at + '.', [3, 3])
    if cin != cout:
        names.update({at + '.skip_connection.weight': [cout, cin, 1, 1], at + '.skip_connection.bias': [cout]})
    if video:
        cin = cout
        half(at + '.time_stack.', [3, 1, 1])
        names[at + '.time_mixer.mix_factor'] = [1]


def transformer(names, at, c, depth, context, linear, video=False):
    k = [] if linear else [1, 1]
    names.update({at + '.norm.weight': [c], at + '.norm.bias': [c], at + '.proj_in.weight': [c, c, *k], at + '.proj_in.bias': [c],
                  at + '.proj_out.weight': [c, c, *k], at + '.proj_out.bias': [c]})
    def block(p):
        for a, ctx in (('attn1', c), ('attn2', context)):
            names.update({f'{p}.{a}.to_q.weight': [c, c], f'{p}.{a}.to_k.weight': [c, ctx], f'{p}.{a}.to_v.weight': [c, ctx],
                          f'{p}.{a}.to_out.0.weight': [c, c], f'{p}.{a}.to_out.0.bias': [c]})
        for n in ('norm1', 'norm2', 'norm3'):
            names.update({f'{p}.{n}.weight': [c], f'{p}.{n}.bias': [c]})
        feed(p + '.ff')
    def feed(p):
        names.update({p + '.net.0.proj.weight': [8 * c, c], p + '.net.0.proj.bias': [8 * c], p + '.net.2.weight': [c, 4 * c], p + '.net.2.bias': [c]})
    for d in range(depth):
        block(f'{at}.transformer_blocks.{d}')
        if video:
            p = f'{at}.time_stack.{d}'
            block(p)
            feed(p + '.ff_in')
            names.update({p + '.norm_in.weight': [c], p + '.norm_in.bias': [c]})
    if video:
        names.update({at + '.time_pos_embed.0.weight': [4 * c, c], at + '.time_pos_embed.0.bias': [4 * c], at + '.time_pos_embed.2.weight': [c, 4 * c],
                      at + '.time_pos_embed.2.bias': [c], at + '.time_mixer.mix_factor': [1]})


def unet(channels, layers, depths, context, cin=4, cout=4, linear=False, added=0, video=False):
    n, c0 = {}, channels[0]
    emb = 4 * c0
    n.update({'time_embed.0.weight': [emb, c0], 'time_embed.0.bias': [emb], 'time_embed.2.weight': [emb, emb], 'time_embed.2.bias': [emb]})
    if added:
        n.update({'label_emb.0.0.weight': [emb, added], 'label_emb.0.0.bias': [emb], 'label_emb.0.2.weight': [emb, emb], 'label_emb.0.2.bias': [emb]})
    n.update({'input_blocks.0.0.weight': [c0, cin, 3, 3], 'input_blocks.0.0.bias': [c0]})
    skips, i, c = [c0], 1, c0
    for level, (ch, depth) in enumerate(zip(channels, depths)):
        for _ in range(layers):
            resblock(n, f'input_blocks.{i}.0', c, ch, emb, video)
            if depth:
                transformer(n, f'input_blocks.{i}.1', ch, depth, context, linear, video)
            c, i = ch, i + 1
            skips.append(c)
        if level + 1 < len(channels):
            n.update({f'input_blocks.{i}.0.op.weight': [c, c, 3, 3], f'input_blocks.{i}.0.op.bias': [c]})
            i += 1
            skips.append(c)
    resblock(n, 'middle_block.0', c, c, emb, video)
    transformer(n, 'middle_block.1', c, depths[-1] or 1, context, linear, video)
    resblock(n, 'middle_block.2', c, c, emb, video)
    i = 0
    for level in reversed(range(len(channels))):
        for j in range(layers + 1):
            resblock(n, f'output_blocks.{i}.0', c + skips.pop(), channels[level], emb, video)
            c, slot = channels[level], 1
            if depths[level]:
                transformer(n, f'output_blocks.{i}.1', c, depths[level], context, linear, video)
                slot = 2
            if level and j == layers:
                n.update({f'output_blocks.{i}.{slot}.conv.weight': [c, c, 3, 3], f'output_blocks.{i}.{slot}.conv.bias': [c]})
            i += 1
    n.update({'out.0.weight': [c0], 'out.0.bias': [c0], 'out.2.weight': [cout, c0, 3, 3], 'out.2.bias': [cout]})
    return n


def vae(channels, layers, video=False):
    n, z = {}, 4
    def res(at, cin, cout, stack=False):
        n.update({at + '.norm1.weight': [cin], at + '.norm1.bias': [cin], at + '.conv1.weight': [cout, cin, 3, 3], at + '.conv1.bias': [cout],
                  at + '.norm2.weight': [cout], at + '.norm2.bias': [cout], at + '.conv2.weight': [cout, cout, 3, 3], at + '.conv2.bias': [cout]})
        if cin != cout:
            n.update({at + '.nin_shortcut.weight': [cout, cin, 1, 1], at + '.nin_shortcut.bias': [cout]})
        if stack:
            for part in ('in_layers.0', 'out_layers.0'):
                n.update({f'{at}.time_stack.{part}.weight': [cout], f'{at}.time_stack.{part}.bias': [cout]})
            for part in ('in_layers.2', 'out_layers.3'):
                n.update({f'{at}.time_stack.{part}.weight': [cout, cout, 3, 1, 1], f'{at}.time_stack.{part}.bias': [cout]})
            n[at + '.mix_factor'] = [1]
    def mid(side, c, stack=False):
        res(side + '.mid.block_1', c, c, stack)
        at = side + '.mid.attn_1'
        n.update({at + '.norm.weight': [c], at + '.norm.bias': [c]})
        for p in ('q', 'k', 'v', 'proj_out'):
            n.update({f'{at}.{p}.weight': [c, c, 1, 1], f'{at}.{p}.bias': [c]})
        res(side + '.mid.block_2', c, c, stack)
    def ends(side, cin, cout, c0, c1):
        n.update({side + '.conv_in.weight': [c0, cin, 3, 3], side + '.conv_in.bias': [c0], side + '.norm_out.weight': [c1], side + '.norm_out.bias': [c1],
                  side + '.conv_out.weight': [cout, c1, 3, 3], side + '.conv_out.bias': [cout]})
    c = channels[0]
    for level, ch in enumerate(channels):
        for j in range(layers):
            res(f'encoder.down.{level}.block.{j}', c, ch)
            c = ch
        if level + 1 < len(channels):
            n.update({f'encoder.down.{level}.downsample.conv.weight': [c, c, 3, 3], f'encoder.down.{level}.downsample.conv.bias': [c]})
    mid('encoder', c)
    ends('encoder', 3, 2 * z, channels[0], c)
    mid('decoder', c, video)
    for level in reversed(range(len(channels))):
        for j in range(layers + 1):
            res(f'decoder.up.{level}.block.{j}', c, channels[level], video)
            c = channels[level]
        if level:
            n.update({f'decoder.up.{level}.upsample.conv.weight': [c, c, 3, 3], f'decoder.up.{level}.upsample.conv.bias': [c]})
    ends('decoder', z, 3, channels[-1], channels[0])
    if video:
        n.update({'decoder.time_mix_conv.weight': [3, 3, 3, 1, 1], 'decoder.time_mix_conv.bias': [3]})
    else:
        n.update({'quant_conv.weight': [2 * z, 2 * z, 1, 1], 'quant_conv.bias': [2 * z], 'post_quant_conv.weight': [z, z, 1, 1], 'post_quant_conv.bias': [z]})
    return n


def clip_text(hidden, layers, vocab, inner):
    return {'text_model.embeddings.position_ids': [1, 77], **{k: list(v.shape) for k, v in prefixed(CLIPTextModel(text_config(hidden, layers, vocab, inner))).items()}}


def prefixed(model):
    state = model.state_dict()
    return {k if k.startswith('text_') else 'text_model.' + k: v for k, v in state.items()}


def text_config(hidden, layers, vocab, inner, projection=None):
    return CLIPTextConfig(hidden_size=hidden, num_hidden_layers=layers, vocab_size=vocab, intermediate_size=inner, num_attention_heads=hidden // 64,
                          projection_dim=projection or hidden)


def resblocks(n, at, hidden, layers, inner):
    for i in range(layers):
        p = f'{at}.resblocks.{i}.'
        n.update({p + 'ln_1.weight': [hidden], p + 'ln_1.bias': [hidden], p + 'ln_2.weight': [hidden], p + 'ln_2.bias': [hidden],
                  p + 'attn.in_proj_weight': [3 * hidden, hidden], p + 'attn.in_proj_bias': [3 * hidden], p + 'attn.out_proj.weight': [hidden, hidden],
                  p + 'attn.out_proj.bias': [hidden], p + 'mlp.c_fc.weight': [inner, hidden], p + 'mlp.c_fc.bias': [inner],
                  p + 'mlp.c_proj.weight': [hidden, inner], p + 'mlp.c_proj.bias': [hidden]})


def open_clip_text(hidden, layers, vocab, inner, projection):
    n = {'positional_embedding': [77, hidden], 'token_embedding.weight': [vocab, hidden], 'ln_final.weight': [hidden], 'ln_final.bias': [hidden],
         'text_projection': [hidden, projection], 'logit_scale': []}
    resblocks(n, 'transformer', hidden, layers, inner)
    return n


def open_clip_vision(hidden, layers, patch, size, inner, projection):
    n = {'class_embedding': [hidden], 'positional_embedding': [(size // patch) ** 2 + 1, hidden], 'proj': [hidden, projection], 'conv1.weight': [hidden, 3, patch, patch]}
    for part in ('ln_pre', 'ln_post'):
        n.update({part + '.weight': [hidden], part + '.bias': [hidden]})
    resblocks(n, 'transformer', hidden, layers, inner)
    return n


def under(prefix, names):
    return {prefix + k: v for k, v in names.items()}


def tensors(names):
    out = {}
    for k, (name, shape) in enumerate(names.items()):
        count = 1
        for side in shape:
            count *= side
        assert count < 1 << 20
        out[name] = (torch.arange(count, dtype=torch.float64) + k * 2.0 ** 20).reshape(shape)
    return out


def told(state):
    rows = {}
    for name, t in sorted(state.items()):
        flat = t.double().flatten()
        rows[name] = [list(t.shape), flat[min(1, len(flat) - 1)].item(), flat[-1].item(), flat.sum().item()]
    return rows


def strict(model, state):
    """The converted tensors are exactly the network's."""
    own = {k: v for k, v in prefixed(model).items()} if 'CLIPText' in type(model).__name__ else model.state_dict()
    own = {k: v for k, v in own.items() if 'position_ids' not in k}
    assert own.keys() == state.keys(), (sorted(own.keys() - state.keys())[:5], sorted(state.keys() - own.keys())[:5])
    for k, v in own.items():
        assert list(v.shape) == list(state[k].shape), k
    return told(state)


def meta(cls, config):
    with torch.device('meta'):
        return cls(config) if cls.__name__.startswith('CLIP') else cls.from_config(config)


def write(family, names, converted, configs):
    lines = ['{"family": %s,' % json.dumps(family), '"original": [']
    lines += [',\n'.join(json.dumps(row) for row in names.items()), '],', '"configs": %s,' % json.dumps(configs), '"converted": {']
    parts = ['"%s": {\n%s\n}' % (c, ',\n'.join(f'{json.dumps(k)}: {json.dumps(v)}' for k, v in rows.items())) for c, rows in converted.items()]
    (HERE / f'{family}.json').write_text('\n'.join(lines) + '\n' + ',\n'.join(parts) + '}}\n')


def stable_diffusion(family, channels, depths, context, heads, linear, text, vae_channels, cin=4, added=0, scaling=0.18215):
    config = dict(sample_size=8, in_channels=cin, out_channels=4, block_out_channels=channels, layers_per_block=2, cross_attention_dim=context,
                  attention_head_dim=heads, use_linear_projection=linear, norm_num_groups=32,
                  down_block_types=['CrossAttnDownBlock2D' if d else 'DownBlock2D' for d in depths],
                  up_block_types=['CrossAttnUpBlock2D' if d else 'UpBlock2D' for d in reversed(depths)],
                  transformer_layers_per_block=[max(d, 1) for d in depths])
    if added:
        config.update(addition_embed_type='text_time', addition_time_embed_dim=256, projection_class_embeddings_input_dim=added)
    vae_config = dict(block_out_channels=vae_channels, layers_per_block=2, latent_channels=4, norm_num_groups=32, scaling_factor=scaling,
                      down_block_types=['DownEncoderBlock2D'] * len(vae_channels), up_block_types=['UpDecoderBlock2D'] * len(vae_channels))
    names = {'alphas_cumprod': [1000], **under('model.diffusion_model.', unet(channels, 2, depths, context, cin, linear=linear, added=added)),
             **under('first_stage_model.', vae(vae_channels, 2))}
    texts = {}
    for component, (prefix, kind, args) in text.items():
        texts[component] = (prefix, kind, args)
        names.update(under(prefix, (clip_text if kind == 'clip' else open_clip_text)(*args)))
    state = tensors(names)
    converted = {'unet': strict(meta(UNet2DConditionModel, config), ldm.convert_ldm_unet_checkpoint(state, config)),
                 'vae': strict(meta(AutoencoderKL, vae_config), ldm.convert_ldm_vae_checkpoint(state, vae_config))}
    for component, (prefix, kind, args) in texts.items():
        if kind == 'clip':
            model = meta(CLIPTextModel, text_config(*args))
            out = {k: v for k, v in ldm.convert_ldm_clip_checkpoint({k: v for k, v in state.items() if k.startswith(prefix)}).items() if 'position_ids' not in k}
        else:
            hidden, layers, vocab, inner, projection = args
            model = meta(CLIPTextModelWithProjection if family != 'sd21' else CLIPTextModel, text_config(hidden, layers - (family == 'sd21'), vocab, inner, projection))
            out = ldm.convert_open_clip_checkpoint(model, state, prefix)
            if family == 'sd21':  # diffusers drops the projection when it loads into a CLIPTextModel
                out = {k: v for k, v in out.items() if k != 'text_projection.weight'}
        converted[component] = strict(model, out)
    return write(family, names, converted, {'unet': config, 'vae': vae_config})


def video(script):
    spec = importlib.util.spec_from_file_location('svd', script)
    svd = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(svd)
    channels, depths, context, added = [32, 64, 64], [1, 1, 0], 48, 96
    config = dict(sample_size=8, in_channels=8, out_channels=4, block_out_channels=channels, layers_per_block=2, cross_attention_dim=context,
                  num_attention_heads=[1, 1, 1], addition_time_embed_dim=32, projection_class_embeddings_input_dim=added, transformer_layers_per_block=1,
                  down_block_types=['CrossAttnDownBlockSpatioTemporal'] * 2 + ['DownBlockSpatioTemporal'],
                  up_block_types=['UpBlockSpatioTemporal'] + ['CrossAttnUpBlockSpatioTemporal'] * 2)
    vae_config = dict(block_out_channels=[32, 64], layers_per_block=2, latent_channels=4, scaling_factor=0.18215, down_block_types=['DownEncoderBlock2D'] * 2)
    vision = dict(hidden_size=64, num_hidden_layers=2, patch_size=14, image_size=28, intermediate_size=96, projection_dim=48, num_attention_heads=1)
    names = {**under('model.diffusion_model.', unet(channels, 2, depths, context, 8, linear=True, added=added, video=True)),
             **under('first_stage_model.', vae([32, 64], 2, video=True)),
             **under('conditioner.embedders.3.encoder.', {k: v for k, v in vae([32, 64], 2).items() if k.startswith('encoder.')}),
             **under('conditioner.embedders.0.open_clip.model.visual.', open_clip_vision(64, 2, 14, 28, 96, 48))}
    state = tensors(names)
    unet_state = svd.convert_ldm_unet_checkpoint(dict(state), {**config, 'class_embed_type': None})
    for i in range(2):  # the script gives every output block of one part the name of the first
        unet_state[f'up_blocks.0.resnets.{i}.time_mixer.mix_factor'] = state[f'model.diffusion_model.output_blocks.{i}.0.time_mixer.mix_factor']
    vae_state = {}
    for k, v in svd.convert_ldm_vae_checkpoint(dict(state), vae_config).items():
        k = k.replace('spatial_res_block.time_mixer', 'time_mixer')
        if k.startswith('encoder.'):  # the encoder is AutoencoderKL's: no temporal half
            k = k.replace('spatial_res_block.', '')
        vae_state[k.replace('temporal_res_block.spatial_res_block.', 'temporal_res_block.')] = v
    vae_state['quant_conv.weight'] = torch.eye(8, dtype=torch.float64).reshape(8, 8, 1, 1)  # the file has none: the identity
    vae_state['quant_conv.bias'] = torch.zeros(8, dtype=torch.float64)
    image = clip_vision(state, 'conditioner.embedders.0.open_clip.model.visual.', 64)
    write('svd', names, {'unet': strict(meta(UNetSpatioTemporalConditionModel, config), unet_state),
                         'vae': strict(meta(AutoencoderKLTemporalDecoder, vae_config), vae_state),
                         'image_encoder': strict(meta(CLIPVisionModelWithProjection, CLIPVisionConfig(**vision)), image)},
          {'unet': config, 'vae': vae_config, 'image_encoder': vision})


def clip_vision(state, prefix, hidden):
    """As transformers' convert_clip_original_pytorch_to_hf.py copies the parts of the visual tower."""
    s = {k[len(prefix):]: v for k, v in state.items() if k.startswith(prefix)}
    out = {'vision_model.embeddings.class_embedding': s['class_embedding'], 'vision_model.embeddings.position_embedding.weight': s['positional_embedding'],
           'vision_model.embeddings.patch_embedding.weight': s['conv1.weight'], 'visual_projection.weight': s['proj'].T}
    for ours, theirs in (('pre_layrnorm', 'ln_pre'), ('post_layernorm', 'ln_post')):
        out.update({f'vision_model.{ours}.{p}': s[f'{theirs}.{p}'] for p in ('weight', 'bias')})
    i = 0
    while f'transformer.resblocks.{i}.ln_1.weight' in s:
        src, dst = f'transformer.resblocks.{i}.', f'vision_model.encoder.layers.{i}.'
        for p in ('weight', 'bias'):
            q, k, v = s[f'{src}attn.in_proj_{p}'].chunk(3, dim=0)
            out.update({f'{dst}self_attn.q_proj.{p}': q, f'{dst}self_attn.k_proj.{p}': k, f'{dst}self_attn.v_proj.{p}': v,
                        f'{dst}self_attn.out_proj.{p}': s[f'{src}attn.out_proj.{p}'], f'{dst}layer_norm1.{p}': s[f'{src}ln_1.{p}'],
                        f'{dst}layer_norm2.{p}': s[f'{src}ln_2.{p}'], f'{dst}mlp.fc1.{p}': s[f'{src}mlp.c_fc.{p}'], f'{dst}mlp.fc2.{p}': s[f'{src}mlp.c_proj.{p}']})
        i += 1
    return out


if __name__ == '__main__':
    clip_l = ('clip', (64, 2, 96, 128))
    stable_diffusion('sd15', [32, 64, 64, 64], [1, 1, 1, 0], 64, 8, False, {'text_encoder': ('cond_stage_model.transformer.', *clip_l)}, [32, 64, 64])
    stable_diffusion('sd15_inpainting', [32, 64], [1, 0], 64, 8, False, {'text_encoder': ('cond_stage_model.transformer.', *clip_l)}, [32, 64], cin=9)
    # SD 2 is told by the width of its context, and its text encoder has 24 layers of which 23 are used.
    stable_diffusion('sd21', [64, 64, 128], [1, 1, 0], 1024, [1, 1, 2], True,
                     {'text_encoder': ('cond_stage_model.model.', 'open_clip', (64, 24, 96, 128, 64))}, [32, 64])
    stable_diffusion('sdxl', [64, 64, 128], [0, 2, 3], 128, [1, 1, 2], True,
                     {'text_encoder': ('conditioner.embedders.0.transformer.', *clip_l),
                      'text_encoder_2': ('conditioner.embedders.1.model.', 'open_clip', (64, 11, 96, 128, 64))}, [32, 64], added=64 + 6 * 256, scaling=0.13025)
    video(sys.argv[1])
