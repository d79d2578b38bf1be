// What is known of one thing: names and what they are.
import type { ComponentChildren } from "preact";

export type Fact = [name: string, value: ComponentChildren];

export const Facts = ({ facts }: { facts: Fact[] }) => (
  <dl class="facts">
    {facts.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);
