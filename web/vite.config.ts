import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { budget } from './plugins/budget.ts';
import { firstLoad } from './plugins/chunks.ts';
import { emojiData } from './plugins/emojiData.ts';
import { finish } from './plugins/finish.ts';

// In development the page comes from Vite and everything else from a Natter on its usual port.
const natter = 'http://localhost:8080';
const door = { target: natter, changeOrigin: true };

export default defineConfig({
  plugins: [react(), emojiData(), budget(), finish()],
  server: {
    proxy: {
      // The gateway checks Origin on the upgrade, so the proxy presents the gateway's own.
      '/ws': { target: natter, ws: true, changeOrigin: true, rewriteWsOrigin: true },
      '/auth': door,
      '/api': door,
      '/history': door,
      '/health': door,
    },
  },
  build: {
    target: 'es2023',
    // The server's Content-Security-Policy allows neither data: URLs nor inline code.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: { codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: firstLoad() }] } },
    },
  },
  test: {
    environment: 'node',
    // A machine that is busy with something else is slow, not wrong.
    testTimeout: 20_000,
    include: ['{src,plugins}/**/*.test.ts'],
  },
});
