#!/usr/bin/env bash
# entsoe-api-client: a zero is no value, and the zeros that are left out after it get the value before it.
#
# Guess:    in a series of curve type A03, which leaves out what repeats, each position left out has the value of the last
#           one that stands there; after a zero that is zero.
# Happens:  a zero is dropped when it is read, as if it were missing: its own point has neither price nor quantity. The
#           positions after it are then filled from the point before the zero. Solar power that falls from 40 MW to 0
#           is 40 MW again a quarter hour later, for as long as the zeros last; after a price of 0 comes the 65 before it.
# Version:  entsoe-api-client 1.0.3.
# Matters:  the platform has quarter hours in A03, and zeros repeat more than any other value: every night of a solar
#           series, and the hours of surplus in which a flexible customer would draw. Sums and costs are too high.
. "$(dirname "$0")/prelude.sh"

install entsoe-api-client@1.0.3

program <<'END'
import { ParseDocument } from 'entsoe-api-client';

const period = (points, field) => `<Period>
  <timeInterval><start>2026-03-07T17:00Z</start><end>2026-03-07T19:00Z</end></timeInterval>
  <resolution>PT15M</resolution>
  ${points.map(([position, value]) =>
    `<Point><position>${position}</position><${field}>${value}</${field}></Point>`).join('')}
</Period>`;

const solar = `<?xml version="1.0" encoding="UTF-8"?>
<GL_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0">
  <mRID>1</mRID><revisionNumber>1</revisionNumber><type>A75</type><process.processType>A16</process.processType>
  <createdDateTime>2026-03-08T00:00:00Z</createdDateTime>
  <TimeSeries><mRID>1</mRID><businessType>A01</businessType><objectAggregation>A08</objectAggregation>
    <inBiddingZone_Domain.mRID codingScheme="A01">10Y1001A1001A82H</inBiddingZone_Domain.mRID>
    <quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>A03</curveType>
    <MktPSRType><psrType>B16</psrType></MktPSRType>
    ${period([[1, 120], [2, 40], [3, 0], [8, 15]], 'quantity')}
  </TimeSeries>
</GL_MarketDocument>`;

const prices = `<?xml version="1.0" encoding="UTF-8"?>
<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">
  <mRID>2</mRID><revisionNumber>1</revisionNumber><type>A44</type>
  <createdDateTime>2026-03-07T12:00:00Z</createdDateTime>
  <period.timeInterval><start>2026-03-07T17:00Z</start><end>2026-03-07T19:00Z</end></period.timeInterval>
  <TimeSeries><mRID>1</mRID><businessType>A62</businessType>
    <in_Domain.mRID codingScheme="A01">10Y1001A1001A82H</in_Domain.mRID>
    <out_Domain.mRID codingScheme="A01">10Y1001A1001A82H</out_Domain.mRID>
    <currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name>
    <curveType>A03</curveType>
    ${period([[1, '65.00'], [3, '0.00'], [7, '-5.00']], 'price.amount')}
  </TimeSeries>
</Publication_MarketDocument>`;

function show(name, xml, field) {
  const { points } = ParseDocument(xml).timeseries[0].periods[0];
  for (const point of points)
    console.log(`${name} ${point.startDate.toISOString().slice(11, 16)}Z: ${point[field] ?? 'no value'}`);
}

show('MW', solar, 'quantity');
show('EUR/MWh', prices, 'price');
END

expect <<'END'
MW 17:00Z: 120
MW 17:15Z: 40
MW 17:30Z: no value
MW 17:45Z: 40
MW 18:00Z: 40
MW 18:15Z: 40
MW 18:30Z: 40
MW 18:45Z: 15
EUR/MWh 17:00Z: 65
EUR/MWh 17:15Z: 65
EUR/MWh 17:30Z: no value
EUR/MWh 17:45Z: 65
EUR/MWh 18:00Z: 65
EUR/MWh 18:15Z: 65
EUR/MWh 18:30Z: -5
EUR/MWh 18:45Z: -5
END
