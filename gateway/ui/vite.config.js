import { defineConfig } from 'vite';

import { compress } from './compress.js';

export default defineConfig({
  // Relative addresses: the page may be served under a path.
  base: './',
  plugins: [compress()],
  worker: { format: 'es' },
  build: {
    // Browsers that have module workers and `:has()`, as the editor needs them anyway.
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 8192,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      onwarn(warning, warn) {
        // "use client" is for frameworks that render on a server; there is none here.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
});
