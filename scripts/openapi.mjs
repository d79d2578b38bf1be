// `npm run openapi`: writes src/assets/openapi.json anew from the routes and the types. The test that holds the file against them does it.
import { statSync } from "node:fs";
import { inRoot, root } from "./setup/paths.mjs";
import { main, say, step } from "./setup/progress.mjs";

await main(async () => {
  await step("Writing src/assets/openapi.json", "seconds, or as long as the tests take to compile", "cargo", ["test", "--test", "native", "openapi::the_file_is_the_one_that_the_code_makes"], {
    cwd: root,
    env: { ...process.env, ROLLCALL_WRITE_OPENAPI: "1" },
    hint: "What the compiler said stands above.",
  });
  say(`  it has ${Math.round(statSync(inRoot("src", "assets", "openapi.json")).size / 1000)} kB`);
});
