// Style sheets that esbuild takes from where they are imported.
declare module "*.css";
