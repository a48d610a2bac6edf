// node upload.mjs <endpoint> <key> <file> <interruptions>: uploads by the stock tus client in small chunks, breaking off and resuming that
// many times; prints the URL of the upload.
import fs from 'node:fs';
import * as tus from 'tus-js-client';

const [endpoint, key, path, interruptions] = process.argv.slice(2);
const size = fs.statSync(path).size;
const chunkSize = Math.ceil(size / (2 * Number(interruptions) + 2));
let left = Number(interruptions);

function upload(url) {
  return new Promise((resolve, reject) => {
    const one = new tus.Upload(fs.createReadStream(path), {
      endpoint, chunkSize, uploadSize: size, uploadUrl: url, retryDelays: null,
      headers: {Authorization: `Bearer ${key}`},
      metadata: {filename: 'clip.mp4', filetype: 'video/mp4'},
      onError: reject,
      onSuccess: () => resolve({url: one.url, done: true}),
      onChunkComplete: (_, accepted) => {
        if (left > 0 && accepted < size) {
          left -= 1;
          one.abort().then(() => resolve({url: one.url, done: false}), reject);
        }
      },
    });
    one.start();
  });
}

let state = {url: null, done: false};
while (!state.done) state = await upload(state.url);
console.log(state.url);
