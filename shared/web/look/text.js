// Every sentence that a script shows, in the reader's language: t("{car} is away", { car }), nt("{n} lap", "{n} laps", 3).
// The station puts the table TEXTS in front of this file: the English template to the forms of this page's language.
"use strict";

const LANGUAGE = document.documentElement.lang || "en";
const PLURAL = new Intl.PluralRules(LANGUAGE);
const PLURAL_FORMS = ["zero", "one", "two", "few", "many", "other"].filter((form) => PLURAL.resolvedOptions().pluralCategories.includes(form));

function filled(template, values) {
  const shown = (value) => (typeof value === "number" && !Number.isInteger(value) ? value.toLocaleString(LANGUAGE) : value);
  return template.replace(/\{(\w+)\}/g, (field, name) => (name in values ? shown(values[name]) : field));
}

function t(template, values = {}) {
  const forms = TEXTS[template];
  return filled(forms ? forms[0] : template, values);
}

function nt(one, many, n, values = {}) {
  const forms = TEXTS[one] ?? [one, many];
  const place = Math.min(PLURAL_FORMS.indexOf(PLURAL.select(n)), forms.length - 1);
  return filled(forms[place], { n, ...values });
}
