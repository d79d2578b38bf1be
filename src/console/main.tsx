// The administrator's console: it reads where people sign in, sees whether somebody has, and shows the page that the address names.
import { render } from "preact";
import { Console } from "./console";
import { Start } from "./sign_in";
import { type Settings, arrive } from "./session";

const root = document.getElementById("console")!;

async function start() {
  const reply = await fetch("/console/settings.json");
  if (!reply.ok) throw new Error(`The service does not answer as it should (${reply.status}).`);
  const settings: Settings = await reply.json();
  try {
    const arrived = await arrive(settings);
    if (arrived === "beside-done") {
      render(<p class="loading">You are signed in. This window can be closed.</p>, root);
      window.close();
      return;
    }
    render(<Console settings={settings} />, root);
  } catch (error) {
    render(<Start settings={settings} problem={error instanceof Error ? error.message : String(error)} />, root);
  }
}

// The link of `npm run dev`, pasted where the console is open already: the browser changes the fragment alone.
addEventListener("hashchange", () => location.hash.startsWith("#token=") && location.reload());

start().catch((error) => render(<p class="notice bad" role="alert">{String(error.message)} Load the page again.</p>, root));
