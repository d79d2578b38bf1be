// `npm run deploy` as a process, against the stand-in for Cloudflare's API, with a configuration of the test's own.
import { spawn } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { after, before, beforeEach } from "node:test";
import { inRoot, root } from "../../../scripts/setup/paths.mjs";
import { FakeCloudflare } from "./fake_cloudflare.mjs";

export const jwt = { JWT_ISSUER: "https://login.example", JWT_AUDIENCE: "rollcall", JWT_JWKS_URL: "https://login.example/keys", CONSOLE_CLIENT_ID: "console", CONSOLE_SCOPE: "openid platform tenants:read", ACCESS_ISSUER: "https://acme.cloudflareaccess.com", ACCESS_AUDIENCE: "tag", ACCESS_SCOPES: '{"@example.com": {"scope": "tenants:read", "tenant_id": "acme"}}' };
/** What a test's own environment has of these is not the deploy's. */
const SETTINGS = [...Object.keys(jwt), "JWT_JWKS", "CURSOR_KEY", "ENCRYPTION_KEY", "DATABASES"];

/** The migrations that each database gets, in their order. */
export const migrations = readdirSync(inRoot("migrations")).filter((name) => name.endsWith(".sql")).sort();

/** Deploys with `configName` (`wrangler.deploy.….toml`) as the file that is remembered: each test of the suite begins with an empty account and without it. */
export function deploying(configName) {
  const cloudflare = new FakeCloudflare();
  const removeConfigs = () => [configName, configName.replace(/\.toml$/, ".jobs.toml")].forEach((name) => rmSync(inRoot(name), { force: true }));
  before(() => cloudflare.start());
  after(() => cloudflare.stop());
  beforeEach(() => {
    cloudflare.reset();
    removeConfigs();
  });
  after(removeConfigs);
  return {
    cloudflare,
    removeConfigs,
    /** Runs it and answers { code, output }: `settings` are in its environment, `flags` behind it. */
    deploy(settings, flags = []) {
      const env = { ...process.env, ...cloudflare.environment(), ROLLCALL_DEPLOY_CONFIG: configName };
      for (const name of SETTINGS) delete env[name];
      for (const [name, value] of Object.entries(settings)) if (value) env[name] = value;
      return new Promise((resolve) => {
        const child = spawn(process.execPath, ["scripts/deploy.mjs", ...flags], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
        let output = "";
        child.stdout.on("data", (chunk) => (output += chunk));
        child.stderr.on("data", (chunk) => (output += chunk));
        child.on("close", (code) => resolve({ code, output }));
      });
    },
  };
}

export const bindingOf = (upload, name) => upload.metadata.bindings.find((entry) => entry.name === name);
