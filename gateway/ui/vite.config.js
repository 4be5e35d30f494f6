import { defineConfig } from 'vite';

import { compress } from './compress.js';

export default defineConfig({
  // Relative URLs: the page may be served under any path.
  base: './',
  plugins: [compress()],
  worker: { format: 'es' },
  build: {
    // The editor needs browsers with module workers and `:has()` anyway.
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 8192,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      onwarn(warning, warn) {
        // The directive "use client" is for server-side rendering, which this page does not use.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
});
