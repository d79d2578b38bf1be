// The backup that docs/operating.md describes: rows exported by wrangler, put into a database that the migrations made. Local databases of wrangler
// alone, without a worker; a deployed one is asked by the same commands. And what is mended after one of several databases was restored alone.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { wrangler, wranglerEnv } from "../../scripts/setup/node_modules.mjs";
import { inRoot } from "../../scripts/setup/paths.mjs";

const home = mkdtempSync(join(tmpdir(), "rollcall-backup-"));
after(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

/** wrangler d1 with a database of its own. */
function databaseIn(name) {
  const folder = join(home, name);
  mkdirSync(folder);
  const database = { binding: "DB", database_name: "rollcall", database_id: "00000000-0000-0000-0000-000000000000", migrations_dir: inRoot("migrations") };
  const lines = Object.entries(database).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  writeFileSync(join(folder, "wrangler.toml"), `name = "backup"\ncompatibility_date = "2026-04-26"\n[[d1_databases]]\n${lines.join("\n")}\n`);
  const env = { ...wranglerEnv(), CI: "1", WRANGLER_LOG_PATH: join(folder, "logs") };
  return async (command, ...args) => (await promisify(execFile)(process.execPath, [wrangler(), "d1", ...command.split(" "), "DB", "--local", ...args], { cwd: folder, env, timeout: 60_000 })).stdout;
}

const ROWS = `
insert into tenants (id, name, scim_profile, store_passwords, created_at, updated_at, audit_seq) values ('t', 'O''Hara; Sons', 'compat', 0, 1, 1, 1);
insert into users (tenant_id, id, provider_id, version, created_at, modified_at, resource, keys)
  values ('t', 'u', '', 1, 1, 1, '{"userName":"Ada; É"}', '{"username":"ada; é","active":1}');
insert into groups (tenant_id, id, provider_id, version, created_at, modified_at, member_count, unique_name, resource, keys)
  values ('t', 'g', '', 1, 1, 1, 1, 1, '{"displayName":"G"}', '{"displayname":"g"}');
insert into group_members (tenant_id, group_id, member_id, member_type) values ('t', 'g', 'u', 'User');
insert into audit_events (tenant_id, seq, at, actor, action, resource_type, resource_id, attributes, request_id)
  values ('t', 1, 1, 'jwt:root', 'create', 'User', 'u', '["userName"]', 'r');
`;
const WHAT = "select t.name, u.user_name_key, u.resource, g.display_name_key, m.granted, e.attributes from tenants t, users u, groups g, group_members m, audit_events e";

test("an export without its schema goes into a database that the migrations made", { timeout: 180_000 }, async () => {
  const [from, to] = [databaseIn("from"), databaseIn("to")];
  await from("migrations apply");
  writeFileSync(join(home, "rows.sql"), ROWS);
  await from("execute", "--file", join(home, "rows.sql"));
  const exported = join(home, "rollcall.sql");
  await from("export", "--no-schema", "--output", exported);
  // As `grep -v` does it in docs/operating.md.
  const rows = readFileSync(exported, "utf8").split("\n").filter((line) => !/^INSERT INTO "(d1_migrations|sqlite_sequence)"/.test(line));
  writeFileSync(join(home, "kept.sql"), rows.join("\n"));
  await to("migrations apply");
  await to("execute", "--file", join(home, "kept.sql"));
  const read = async (database) => JSON.parse(await database("execute", "--json", "--command", WHAT))[0].results;
  const restored = await read(to);
  assert.deepEqual(restored, await read(from));
  assert.deepEqual([restored.length, restored[0].user_name_key], [1, "ada; é"]);
  assert.match(await to("migrations apply"), /No migrations to apply/);
});

test("where the first database was restored alone, it gets again what leads to tenants of another one", { timeout: 180_000 }, async () => {
  const [main, eu] = [databaseIn("main"), databaseIn("eu")];
  for (const database of [main, eu]) await database("migrations apply");
  const row = (key, tenant) => `('scim_token_hash', '${key}', '${tenant}', 'token of ${key}')`;
  const insert = (...rows) => `insert into directory (kind, key, tenant_id, resource_id) values ${rows.join(", ")}`;
  await eu("execute", "--command", insert(row("older", "t"), row("since", "t")));
  await main("execute", "--command", insert(row("older", "t"), row("its own", "m")));
  // As docs/operating.md has it, with `sed` for the replacement.
  const exported = join(home, "directory.sql");
  await eu("export", "--no-schema", "--table", "directory", "--output", exported);
  const page = readFileSync(inRoot("docs", "operating.md"), "utf8");
  const [, from, to] = page.match(/^sed 's\/(.*)\/(.*)\/' directory\.sql/m);
  const again = readFileSync(exported, "utf8").split("\n").map((line) => line.replace(new RegExp(from), to));
  writeFileSync(join(home, "again.sql"), again.join("\n"));
  await main("execute", "--file", join(home, "again.sql"));
  // And where a tenant lives, by the statement of the page.
  const [, placed] = page.match(/`(insert or replace into placements .*?)`/);
  await main("execute", "--command", placed.replace("<id>", "t"));
  const read = async (sql) => JSON.parse(await main("execute", "--json", "--command", sql))[0].results;
  assert.deepEqual((await read("select key from directory order by key")).map(({ key }) => key), ["its own", "older", "since"]);
  assert.deepEqual(await read("select tenant_id, database from placements"), [{ tenant_id: "t", database: "eu" }]);
});
