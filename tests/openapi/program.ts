// A program against Kith as an integrator writes it, on the types that are generated.

import type { components, operations, paths } from "./kith";

type Customer = components["schemas"]["CustomerObject"];
type NewCustomer = operations["createCustomer"]["requestBody"]["content"]["application/json"];
type Page =
  paths["/v1/customers"]["get"]["responses"][200]["content"]["application/json"];

export const ada: NewCustomer = {
  type: "INDIVIDUAL",
  firstName: "Ada",
  lastName: "Lovelace",
  primaryPhoneNumber: { number: "+14155550142", type: "MOBILE" },
  primaryEmail: { value: "ada@example.com" },
  dateOfBirth: "1985-12-10",
};

export const criteria: components["schemas"]["SearchRequest"] = {
  customerAccountType: "INDIVIDUAL",
  customerAccountStatus: ["ACTIVE"],
  resultFormat: "CSV",
};

export function nameOf(customer: Customer): string {
  return customer.type === "INDIVIDUAL"
    ? `${customer.firstName} ${customer.lastName}`
    : customer.businessName;
}

export async function everybody(url: string, token: string): Promise<Customer[]> {
  const found: Customer[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const answer: Response = await fetch(`${url}/v1/customers?size=200&cursor=${cursor}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    if (!answer.ok) {
      const error: components["schemas"]["Error"] = await answer.json();
      throw new Error(`${error.errorCode}: ${error.message}`);
    }
    const page: Page = await answer.json();
    found.push(...page.content);
    cursor = page.nextCursor;
  }
  return found;
}

// @ts-expect-error -- a word that is none of the list's
export const wrong: components["schemas"]["PhoneType"] = "PAGER";
