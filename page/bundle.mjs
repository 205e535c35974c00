// Bundles src/ into the folder that is given: index.html, app.js, app.css and the licences of what is bundled.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const target = process.argv[2];
const { metafile, outputFiles } = await build({
  entryPoints: { app: "src/main.tsx" },
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome111", "firefox115", "safari16.4"],
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  write: false,
});
mkdirSync(target, { recursive: true });
let index = readFileSync("index.html", "utf8");
for (const { path, contents } of outputFiles) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const version = createHash("sha256").update(contents).digest("hex").slice(0, 16);
  index = index.replaceAll(`"${name}"`, `"${name}?v=${version}"`);
  writeFileSync(join(target, name), contents);
}
writeFileSync(join(target, "index.html"), index);

const packages = Object.keys(metafile.inputs).map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]);
const licences = [...new Set(packages)].filter(Boolean).sort().map(licence);
writeFileSync(join(target, "app.js.LEGAL.txt"), licences.join("\n\n"));

function licence(name) {
  const folder = join("node_modules", name);
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `${name} ${version}\n\n${readFileSync(join(folder, "LICENSE"), "utf8").trim()}\n`;
}
