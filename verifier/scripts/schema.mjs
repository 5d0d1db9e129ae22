// Copies the schema of docs/FORMAT.md into src/schema-text.js, so that the verifier reads and encodes by the description itself.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const schemaOf = (format) => {
  const block = /## 8\. Schema[\s\S]*?```text\n([\s\S]*?)```/.exec(format);
  if (!block) throw new Error('docs/FORMAT.md has no schema');
  return `// Made by scripts/schema.mjs from docs/FORMAT.md, section 8.\nexport default \`${block[1]}\`;\n`;
};

const here = new URL('.', import.meta.url);
export const format = () => readFileSync(new URL('../../docs/FORMAT.md', here), 'utf8');
export const target = new URL('../src/schema-text.js', here);

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, schemaOf(format()));
