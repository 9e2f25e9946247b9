// What a person is told: what is wrong, what is allowed, what to do next.

export class PageError extends Error {
  constructor(problem, { allowed = "", next = "", about = "" } = {}) {
    const parts = [problem, allowed && `Allowed: ${allowed}`, next && `Next: ${next}`];
    super(parts.filter(Boolean).map((part) => part.replace(/\.$/, "")).join(". ") + ".");
    this.about = about; // "pattern" where the pattern is at fault
  }
}
