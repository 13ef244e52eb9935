#!/usr/bin/env bash
# green-button-parser: the helper that finds a block's ReadingType finds number 12 for number 1.
#
# Guess:    links are compared as wholes, and a value with powerOfTenMultiplier -3 is given in watt-hours.
# Happens:  links are also searched as parts of longer ones: ".../ReadingType/1" is found in ".../ReadingType/12", and
#           whichever stands first in the feed wins. Feed-in in Wh (type 12) is then taken for consumption in mWh (type
#           1). The value itself stays the raw number in either case: no multiplier is ever applied to it.
# Version:  @cityssm/green-button-parser 1.0.1.
# Matters:  a feed with ten or more reading types has such pairs by itself. The wrong type means the wrong direction
#           of energy and, here, a thousand times too much; every value in the file is still valid.
. "$(dirname "$0")/prelude.sh"

install @cityssm/green-button-parser@1.0.1

program <<'END'
import { atomToGreenButtonJson, helpers } from '@cityssm/green-button-parser';

const root = '/espi/1_1/resource';
const meterReading = `${root}/UsagePoint/1/MeterReading/1`;
let entries = 0;

function entry(self, related, name, inner) {
  entries += 1;
  const id = `urn:uuid:00000000-0000-4000-8000-${String(entries).padStart(12, '0')}`;
  const links = related.map((href) => `<link rel="related" href="${href}"/>`).join('');
  return `<entry><id>${id}</id><link rel="self" href="${self}"/>
    <link rel="up" href="${self.slice(0, self.lastIndexOf('/'))}"/>${links}<title>${name}</title>
    <content><${name} xmlns="http://naesb.org/espi">${inner}</${name}></content>
    <published>2026-03-07T05:00:00Z</published><updated>2026-03-07T05:00:00Z</updated></entry>`;
}

const readingType = (number, direction, power) =>
  entry(`${root}/ReadingType/${number}`, [], 'ReadingType',
    `<commodity>1</commodity><flowDirection>${direction}</flowDirection><intervalLength>900</intervalLength>
     <powerOfTenMultiplier>${power}</powerOfTenMultiplier><uom>72</uom>`);
const period = '<duration>900</duration><start>1772859600</start>';

async function report(order, types) {
  const feed = `<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">
    <id>urn:uuid:00000000-0000-4000-8000-000000000000</id><title>reads</title><updated>2026-03-07T05:00:00Z</updated>
    ${entry(`${root}/UsagePoint/1`, [`${root}/UsagePoint/1/MeterReading`], 'UsagePoint',
      '<ServiceCategory><kind>0</kind></ServiceCategory>')}
    ${types.join('')}
    ${entry(meterReading, [`${meterReading}/IntervalBlock`, `${root}/ReadingType/1`], 'MeterReading', '')}
    ${entry(`${meterReading}/IntervalBlock/1`, [], 'IntervalBlock',
      `<interval>${period}</interval>
       <IntervalReading><timePeriod>${period}</timePeriod><value>1234</value></IntervalReading>`)}
    </feed>`;
  const json = await atomToGreenButtonJson(feed);
  const [block] = helpers.getEntriesByContentType(json, 'IntervalBlock');
  const type = helpers.getReadingTypeEntryFromIntervalBlockEntry(json, block);
  const { flowDirection, powerOfTenMultiplier } = type.content.ReadingType;
  const { value } = block.content.IntervalBlock[0].IntervalReading[0];
  console.log(`${order}: ${type.links.self.slice(root.length + 1)}, flow direction ${flowDirection}, ` +
    `power ${powerOfTenMultiplier}, value ${value}`);
}

const consumption = readingType(1, 1, -3);
const feedIn = readingType(12, 19, 0);
await report('1 before 12', [consumption, feedIn]);
await report('12 before 1', [feedIn, consumption]);
END

expect <<'END'
1 before 12: ReadingType/1, flow direction 1, power -3, value 1234
12 before 1: ReadingType/12, flow direction 19, power 0, value 1234
END
