// How large a directory the cost table is held at. `npm test` takes the small one; `npm run budgets` names another by the environment.

const number = (name, usual) => {
  const value = Number(process.env[name] || usual);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name}=${process.env[name]} is no number`);
  return value;
};

export const SMALL = { users: 6_000, members: 5_000 };
export const USERS = number("ROLLCALL_BUDGET_USERS", SMALL.users);
/** Members of the largest group: the first so many users. */
export const MEMBERS = number("ROLLCALL_BUDGET_MEMBERS", SMALL.members);
/** What the tests pick people by: members of the largest group alone above 1,000, and enough users at the end in no group. */
export const LEAST = { members: 3_000, beside: 1_000 };

/** Members of the first groups; the others are there so that finding one by a scan shows. */
export const SIZES = [10, 1_000, MEMBERS];
export const EMPTY_GROUPS = Math.ceil(USERS / 20);
/** In no group: those from here on, at the directory's end. */
export const ALONE = USERS - 500;
/** A directory that takes so long to make that it is kept. */
export const KEPT = USERS > 50_000;
/** Other tenants, which nobody pays for: so many before this one in every index, and as many after it. */
export const OTHERS = { each: 2, users: Math.ceil(USERS / 20), sizes: [10, 100] };
