import { type Digest, digestOf } from '../lib/digest.ts';
import { canonicalJson } from '../lib/json/canonical-json.ts';
import { isJsonObject } from '../lib/json/json.ts';
import type { Database, DatabaseReader } from '../storage/database.ts';

/** The texts of one policy set by path, such as `policy.csv`. */
export type PolicyTexts = Readonly<Record<string, string>>;

/**
 * Keeps the texts of a policy set under its revision, which is the digest of the canonical JSON of the texts by path.
 * MUST NOT resolve before they are durable. Keeping the same set again changes nothing.
 * @throws RangeError when the revision is not the digest of the texts.
 */
export async function archivePolicy(
  database: Pick<Database, 'write'>,
  revision: Digest,
  texts: PolicyTexts,
): Promise<void> {
  const bytes = canonicalJson({ ...texts });
  if (digestOf(bytes) !== revision) throw new RangeError('the revision is not the digest of the texts');
  await database.write([
    {
      sql: 'INSERT INTO policy_archive (revision, texts) VALUES (?, ?) ON CONFLICT DO NOTHING',
      params: [revision, bytes],
    },
  ]);
}

/** The texts of a revision; undefined when they are not kept, or are no longer those of that revision. */
export function readPolicyArchive(database: Pick<DatabaseReader, 'read'>, revision: Digest): PolicyTexts | undefined {
  const sql = 'SELECT texts FROM policy_archive WHERE revision = ?';
  const bytes = database.read<{ readonly texts: string }>(sql, [revision])[0]?.texts;
  if (bytes === undefined || digestOf(bytes) !== revision) return undefined;
  const texts: unknown = JSON.parse(bytes);
  return isJsonObject(texts) ? parsePolicyTexts(texts) : undefined;
}

function parsePolicyTexts(texts: object): PolicyTexts {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => typeof text === 'string'));
}
