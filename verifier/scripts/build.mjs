// Puts the page into one file that needs no network: `npm run build` writes dist/probata-verifier.html.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = new URL('..', import.meta.url);
const text = (name) => readFileSync(new URL(name, here), 'utf8');
const digest = (part) => `sha256-${createHash('sha256').update(part).digest('base64')}`;

/** The page as one file; the same bytes for the same sources and the same esbuild. */
export async function page() {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('page/page.js', here))],
    bundle: true, write: false, minify: true, format: 'esm', target: 'es2023', charset: 'utf8', legalComments: 'inline',
  });
  const script = bundle.outputFiles[0].text.replaceAll('</script', '<\\/script');
  const style = text('page/style.css');
  // Functions, so that no `$` in the sources means anything.
  return text('page/index.html')
    .replace('SCRIPT_HASH', () => digest(script))
    .replace('STYLE_HASH', () => digest(style))
    .replace('STYLE', () => style)
    .replace('SCRIPT', () => script);
}

export const target = new URL('dist/probata-verifier.html', here);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(new URL('dist/', here), { recursive: true });
  const whole = await page();
  writeFileSync(target, whole);
  console.log(`${fileURLToPath(target)}: ${Buffer.byteLength(whole)} bytes`);
}
