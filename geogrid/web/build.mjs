// Makes the web app: `node build.mjs FOLDER` writes page, script, style and the worker of MapLibre.
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const [folder = 'dist'] = process.argv.slice(2);
const maplibre = dirname(createRequire(import.meta.url).resolve('maplibre-gl/package.json'));

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
await build({
  entryPoints: { app: 'src/main.ts' },
  outdir: folder,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
});
await cp('src/index.html', join(folder, 'index.html'));
// MapLibre starts its worker from a file of its own beside the script.
const worker = await readFile(join(maplibre, 'dist', 'maplibre-gl-worker.mjs'), 'utf-8');
await writeFile(join(folder, 'worker.mjs'), worker.replace(/^\/\/# sourceMappingURL=.*$/m, ''));
const licence = await readFile(join(maplibre, 'LICENSE.txt'), 'utf-8');
await writeFile(join(folder, 'LICENSES.txt'), `MapLibre GL JS\n==============\n${licence}`);
