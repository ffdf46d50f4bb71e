/**
 * Stands in for `unzip-stream` in the bundle. That package brings `buffers`, which names no licence and so must not
 * be shipped; and it is never needed: artifacts of this action are single files, not archives.
 */
const unzip = {
  Extract(): never {
    throw new Error('This action does not read zipped artifacts.');
  },
};

// biome-ignore lint/style/noDefaultExport: the artifact client imports the default
export default unzip;
