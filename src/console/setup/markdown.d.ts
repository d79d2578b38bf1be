// A page of the documentation, as text: the bundler puts it into the program (scripts/assets.mjs).
declare module "*.md" {
  const text: string;
  export default text;
}
