// Follows an agency's events, and books hours with a CMO meanwhile: what it booked comes back as an event.
//
//   npm start -- --address http://127.0.0.1:5081 --key apk_… --agency acme --cmo ada --client north --hours 8 --start 2026-03-02
//
// It ends when it has seen the event of its own booking; with --follow it goes on until it is stopped.
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Code, ConnectError, createClient, type Interceptor } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { CapacityService } from '../gen/agencyplatform/capacity/v1/capacity_pb.js';
import { EventsService } from '../gen/agencyplatform/events/v1/events_pb.js';

const { values } = parseArgs({
    options: {
        address: { type: 'string', default: 'http://127.0.0.1:5081' },
        key: { type: 'string' },
        agency: { type: 'string' },
        cmo: { type: 'string' },
        client: { type: 'string' },
        hours: { type: 'string', default: '8' },
        start: { type: 'string' },
        follow: { type: 'boolean', default: false },
    },
});
const { key, agency, cmo, client, start } = values;
const missing = Object.entries({ key, agency, cmo, client, start }).filter(([, value]) => !value).map(([name]) => `--${name}`);
if (!key || !agency || !cmo || !client || !start) {
    console.error(`Please say ${missing.join(', ')}.`);
    process.exit(2);
}

// Every call carries the key.
const withKey: Interceptor = next => request => {
    request.header.set('authorization', `Bearer ${key}`);
    return next(request);
};
const transport = createGrpcTransport({ baseUrl: values.address, interceptors: [withKey] });
const events = createClient(EventsService, transport);
const capacity = createClient(CapacityService, transport);

// What another try may mend. All else says that the request, the key or the cursor is wrong.
const passing = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.Aborted, Code.ResourceExhausted, Code.Unknown, Code.Internal, Code.Canceled]);
const goesOn = (error: unknown) => passing.has(ConnectError.from(error).code);
const pause = (milliseconds: number) => new Promise(done => setTimeout(done, milliseconds));

// Each event once, in order, whatever happens to the connection: it goes on after the last cursor.
async function* watch() {
    for (let cursor = '', tries = 0; ; tries++) {
        try {
            for await (const message of events.watch({ parent: `agencies/${agency}`, after: cursor })) {
                cursor = message.cursor;
                tries = 0;
                yield message;
            }
        } catch (error) {
            if (!goesOn(error)) { throw error; }
        }
        await pause(Math.min(10_000, 200 * 2 ** tries) * (0.5 + Math.random() / 2));
    }
}

// The same request id with every try, so that the booking is made once.
const requestId = randomUUID();
async function book() {
    const [year, month, day] = start!.split('-').map(Number);
    const request = {
        parent: `agencies/${agency}/cmos/${cmo}`,
        requestId,
        booking: {
            clientCompany: `agencies/${agency}/clientCompanies/${client}`,
            steps: [{ startDate: { year, month, day }, form: { case: 'flexible' as const, value: { weeklyMinutes: Math.round(Number(values.hours) * 60) } } }],
        },
    };
    for (let tries = 0; ; tries++) {
        try {
            return await capacity.book(request);
        } catch (error) {
            if (tries === 5 || !goesOn(error)) { throw error; }
            await pause(200 * 2 ** tries);
        }
    }
}

try {
    let booked: string | undefined;
    for await (const message of watch()) {
        // The first message has no events: from here on nothing is missed.
        if (booked === undefined) {
            booked = (await book()).name;
            console.log(`booked ${booked}`);
        }
        for (const event of message.events) {
            console.log(`#${event.sequence} ${event.type} ${event.resource || event.aggregateId}`);
            // An event carries the part that it changed: here the booking, by its id.
            if (!values.follow && event.type.startsWith('cmo.booking-') && `${event.resource}/bookings/${event.payload?.['id']}` === booked) { process.exit(0); }
        }
    }
} catch (error) {
    const refused = ConnectError.from(error);
    console.error(`${Code[refused.code]}: ${refused.rawMessage}`);
    process.exit(1);
}
