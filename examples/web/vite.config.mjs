import { defineConfig } from "vite";

// `npm start` runs Better Auth too.
const betterAuth = { name: "better-auth", configureServer: () => void import("./auth.mjs") };

export default defineConfig({
  plugins: [betterAuth],
  server: { port: 5173, strictPort: true }, // the Todo service allows this origin in development
});
