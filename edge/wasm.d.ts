/** A wasm file as Cloudflare's bundler gives it: compiled, not instantiated. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
