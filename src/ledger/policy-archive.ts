import { type Digest, digestOf } from '../lib/digest.ts';
import { canonicalJson } from '../lib/json/canonical-json.ts';
import { isJsonObject } from '../lib/json/json.ts';
import type { Database, DatabaseReader } from '../storage/database.ts';

/** Texts of a policy set, by path such as `policy.csv`. */
export type PolicyTexts = Readonly<Record<string, string>>;

/**
 * Archives the texts of a policy set under its revision, the digest of the canonical JSON of the texts by path. MUST NOT
 * resolve before they are durable. Archiving the same set again changes nothing.
 * @throws RangeError if the revision is not the digest of the texts.
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

/** The texts of a revision; undefined if they are not archived, or do not match the revision. */
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
