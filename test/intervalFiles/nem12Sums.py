"""Sums of a NEM12 file by NMI, suffix and day, as JSON. It knows the format from AEMO's text alone, and none of our code."""

import json
import sys
from decimal import Decimal


def main(path):
    with open(path, encoding="utf-8", newline="") as file:
        records = [line.split(",") for line in file.read().split("\r\n")]
    if records[0][:2] != ["100", "NEM12"] or len(records[0]) != 5 or len(records[0][2]) != 12:
        raise SystemExit("no header record")
    if records[-2] != ["900"] or records[-1] != [""]:
        raise SystemExit("no end record")
    sums = {}
    register = None
    covered = None
    for record in records[1:-2]:
        kind = record[0]
        if kind != "400" and covered is not None and covered != 1440 // int(register[8]):
            raise SystemExit("the 400 records do not cover the day")
        if kind == "200":
            if len(record) != 10 or record[7] != "kWh" or int(record[8]) not in (5, 15, 30):
                raise SystemExit(f"200 record: {record}")
            register = record
            covered = None
        elif kind == "300":
            count = 1440 // int(register[8])
            values, rest = record[2 : 2 + count], record[2 + count :]
            if len(rest) != 5 or len(rest[3]) != 14:
                raise SystemExit(f"300 record ends with {rest}")
            if rest[0][0] in "SF" and not rest[1]:
                raise SystemExit("a substitute needs a reason")
            if any(not value.replace(".", "", 1).isdigit() for value in values):
                raise SystemExit("a value is no plain number")
            covered = 0 if rest[0] == "V" else None
            key = f"{register[1]} {register[4]} {record[1]}"
            if key in sums:
                raise SystemExit(f"{key} is there twice")
            hours = [sum(map(Decimal, values[at : at + count // 24])) for at in range(0, count, count // 24)]
            sums[key] = [str(hour.normalize() + 0) if hour else "0" for hour in hours]
        elif kind == "400":
            if len(record) != 6 or int(record[1]) != covered + 1 or record[3] == "V":
                raise SystemExit(f"400 record: {record}")
            covered = int(record[2])
        else:
            raise SystemExit(f"record {kind}")
    print(json.dumps(sums))


main(sys.argv[1])
