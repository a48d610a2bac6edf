"""Makes types.gguf, one tensor of every element type, and expected.safetensors, what the gguf package reads from it (gguf 0.19.0, numpy)."""
from pathlib import Path
import numpy as np
import gguf
from gguf import GGMLQuantizationType as T
from safetensors.numpy import save_file

HERE = Path(__file__).parent
rng = np.random.default_rng(7)
writer = gguf.GGUFWriter(str(HERE / 'types.gguf'), 'wan')
writer.add_string('general.name', 'every type')
writer.add_array('tokens', ['a', 'bc', ''])
writer.add_array('numbers', [1.5, 2.5])
expected = {}

# Blocks of random bits with the 16-bit scales at the given places made reasonable.
scales = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}
for kind, places in scales.items():
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (3, 512 // elements, size), dtype=np.uint8)
    for at in places:
        d = rng.normal(0, 0.02, blocks.shape[:2]).astype(np.float16)
        d[0, 0] = np.float16(6e-6)  # subnormal
        blocks[:, :, at:at + 2] = d[..., None].view(np.uint8)
    data = blocks.reshape(3, -1)
    writer.add_tensor(kind.name.lower(), data, raw_dtype=kind)
    expected[kind.name.lower()] = gguf.quants.dequantize(data, kind).astype(np.float32).reshape(3, 512)
for dtype in (np.float32, np.float16, np.float64, np.int8, np.int16, np.int32, np.int64):
    value = (rng.normal(0, 50, (2, 3))).astype(dtype)
    writer.add_tensor(np.dtype(dtype).name, value)
    expected[np.dtype(dtype).name] = value
bits = rng.normal(0, 1, (2, 8)).astype(np.float32).view(np.uint32) & np.uint32(0xffff0000)
writer.add_tensor('bf16', (bits >> 16).astype(np.uint16).view(np.uint8), raw_dtype=T.BF16)
expected['bf16'] = bits.view(np.float32)
patch = rng.normal(0, 1, (4, 6)).astype(np.float32)
writer.add_array('comfy.gguf.orig_shape.patch', [2, 2, 1, 2, 3])
writer.add_tensor('patch', patch)
expected['patch'] = patch.reshape(2, 2, 1, 2, 3)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
save_file(expected, HERE / 'expected.safetensors')
