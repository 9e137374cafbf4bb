using System.Collections.Concurrent;
using AgencyPlatform.Client;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf;
using Grpc.Core;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>Reads all that the checker needs through the public API.</summary>
internal sealed class Observer(AgencyPlatformClient platform, string agency, TimeProvider time)
{
    private const int Weeks = 45;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly Api _api = new(platform);

    /// <summary>Reads until nothing happens while it reads: holds that run out are waited for.</summary>
    public async Task<Observation> Observe(bool own, IReadOnlyList<CallRecord> calls, AgencyPlatformClient? other, string otherName)
    {
        var begun = time.GetTimestamp();
        var feed = new List<FeedEvent>();
        var cursor = "";
        while (true)
        {
            cursor = await ReadFeed(cursor, 1_000, feed.Add);
            var before = feed.Count;
            var bookings = await ListBookings();
            var got = new ConcurrentDictionary<string, Booking?>(StringComparer.Ordinal);
            await Each(bookings, async b => got[b.Name] = await Maybe(async () => await _api.Capacity.GetBookingAsync(new GetBookingRequest { Name = b.Name })));
            var listed = await ListCmos();
            var cmos = new ConcurrentDictionary<string, ObservedCmo>(StringComparer.Ordinal);
            var start = bookings.SelectMany(b => b.Steps).Select(s => s.StartDate.ToDate()).DefaultIfEmpty(DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime)).Min();
            await Each(listed, async name => cmos[name] = new ObservedCmo(
                await _api.Cmos.GetCmoAsync(new GetCmoRequest { Name = name }),
                (await _api.Capacity.GetAvailabilityAsync(new GetAvailabilityRequest { Name = name, StartDate = start.ToWire(), Weeks = Weeks })).Weeks));
            var engagements = await ListEngagements();
            var invoices = await Pages<Invoice>(async token =>
            {
                var page = await platform.Billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = agency, PageSize = 1_000, PageToken = token });
                return (page.Invoices, page.NextPageToken);
            });
            var ledger = await Pages<PostingLine>(async token =>
            {
                var page = await platform.Billing.ListPostingsAsync(new ListPostingsRequest { Parent = agency, PageSize = 1_000, PageToken = token });
                return (page.Lines, page.NextPageToken);
            });
            var balances = (await platform.Billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency })).Balances;
            cursor = await ReadFeed(cursor, 1_000, feed.Add);
            if (feed.Count == before && engagements.All(e => !e.MoveUnderWay) && invoices.All(i => i.State != InvoiceState.Finalizing))
            {
                var second = new List<(long, string)>();
                await ReadFeed("", 333, e =>
                {
                    // A hold may run out meanwhile: what comes behind the first reader's end is not judged.
                    if (second.Count < feed.Count)
                    {
                        second.Add((e.Sequence, Digest.Of(e)));
                    }
                });
                var (leaks, attempts) = other is null ? ([], 0) : await new Stranger(other, otherName, agency, time).Try(feed, bookings, listed);
                return new Observation(agency, own, calls, feed, second, bookings, got, listed, cmos, engagements, invoices, ledger, balances, leaks, attempts);
            }

            if (time.GetElapsedTime(begun) > s_patience)
            {
                if (feed.Count == before)
                {
                    // Nothing moves any more, and a move is still under way: that is the finding.
                    return new Observation(agency, own, calls, feed, [.. feed.Select(e => (e.Sequence, Digest.Of(e)))], bookings, got, listed, cmos, engagements, invoices, ledger, balances, [], 0);
                }

                throw new CannotJudgeException($"{agency} does not come to rest: somebody else is changing it. Stop that and check again.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(500), time);
        }
    }

    private async Task<string> ReadFeed(string cursor, int page, Action<FeedEvent> take)
    {
        while (true)
        {
            var answer = await platform.Events.ListEventsAsync(new ListEventsRequest { Parent = agency, After = cursor, PageSize = page });
            foreach (var e in answer.Events)
            {
                take(new FeedEvent(
                    e.Id, e.Sequence, e.Kind, e.AggregateId, e.Version, e.Type, JsonFormatter.Default.Format(e.Payload), e.OccurTime.ToNanos(), e.RecordTime.ToNanos(), e.Actor, e.RequestId, e.Cause));
            }

            if (answer.EndOfFeed)
            {
                return answer.NextCursor;
            }

            cursor = answer.NextCursor;
        }
    }

    private Task<List<Booking>> ListBookings() => Pages<Booking>(async token =>
    {
        var page = await _api.Capacity.ListBookingsAsync(new ListBookingsRequest { Parent = $"{agency}/cmos/-", PageSize = 1_000, PageToken = token });
        return (page.Bookings, page.NextPageToken);
    });

    private async Task<List<string>> ListCmos() => (await Pages<Cmo>(async token =>
    {
        var page = await _api.Cmos.ListCmosAsync(new ListCmosRequest { Parent = agency, PageSize = 1_000, PageToken = token });
        return (page.Cmos, page.NextPageToken);
    })).ConvertAll(c => c.Name);

    private async Task<List<Engagement>> ListEngagements()
    {
        var listed = await Pages<Engagement>(async token =>
        {
            var page = await _api.Engagements.ListEngagementsAsync(new ListEngagementsRequest { Parent = agency, PageSize = 1_000, PageToken = token });
            return (page.Engagements, page.NextPageToken);
        });
        var whole = new ConcurrentBag<Engagement>();
        await Each(listed, async e => whole.Add(await _api.Engagements.GetEngagementAsync(new GetEngagementRequest { Name = e.Name })));
        return [.. whole.OrderBy(e => e.Name, StringComparer.Ordinal)];
    }

    private static async Task<List<T>> Pages<T>(Func<string, Task<(IEnumerable<T> Items, string Next)>> read)
    {
        var all = new List<T>();
        var token = "";
        do
        {
            var (items, next) = await read(token);
            all.AddRange(items);
            token = next;
        }
        while (token.Length > 0);
        return all;
    }

    private static async Task<T?> Maybe<T>(Func<Task<T>> read) where T : class
    {
        try
        {
            return await read();
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    private static Task Each<T>(IReadOnlyCollection<T> items, Func<T, Task> read) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (item, _) => await read(item));
}

/// <summary>Somebody of another agency who tries to see or change what is not theirs.</summary>
/// <param name="platform">A client with a key of <paramref name="own"/>, the other agency.</param>
internal sealed class Stranger(AgencyPlatformClient platform, string own, string agency, TimeProvider time)
{
    private readonly List<string> _leaks = [];
    private int _attempts;

    /// <returns>What leaked, and how often it was tried.</returns>
    public async Task<(IReadOnlyList<string> Leaks, int Attempts)> Try(IReadOnlyList<FeedEvent> feed, IReadOnlyList<Booking> bookings, IReadOnlyList<string> cmos)
    {
        var api = new Api(platform);
        var booking = bookings.Count > 0 ? bookings[0].Name : $"{agency}/cmos/x/bookings/y";
        var cmo = cmos.Count > 0 ? cmos[0] : $"{agency}/cmos/x";
        var client = bookings.Count > 0 ? bookings[0].ClientCompany : $"{agency}/clientCompanies/x";
        var steps = new BookingStep { StartDate = new DateOnly(2030, 1, 7).ToWire(), EndDate = new DateOnly(2030, 1, 14).ToWire(), Flexible = new FlexibleForm { WeeklyMinutes = 60 } };
        var nobody = $"agencies/nobody-{time.GetUtcNow().ToUnixTimeMilliseconds():x}";
        Func<string, Task<IMessage>>[] asks =
        [
            async a => await platform.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = a }),
            async a => await platform.Agencies.ListApiKeysAsync(new ListApiKeysRequest { Parent = a }),
            async a => await platform.Events.ListEventsAsync(new ListEventsRequest { Parent = a }),
            async a => await api.Cmos.ListCmosAsync(new ListCmosRequest { Parent = a }),
            async a => await api.Cmos.GetCmoAsync(new GetCmoRequest { Name = In(a, cmo) }),
            async a => await api.Clients.ListClientCompaniesAsync(new ListClientCompaniesRequest { Parent = a }),
            async a => await api.Clients.GetClientCompanyAsync(new GetClientCompanyRequest { Name = In(a, client) }),
            async a => await api.Capacity.ListBookingsAsync(new ListBookingsRequest { Parent = $"{a}/cmos/-" }),
            async a => await api.Capacity.GetBookingAsync(new GetBookingRequest { Name = In(a, booking) }),
            async a => await api.Capacity.GetAvailabilityAsync(new GetAvailabilityRequest { Name = In(a, cmo), StartDate = steps.StartDate }),
            async a => await api.Capacity.GetUtilizationAsync(new GetUtilizationRequest { Name = a, StartDate = steps.StartDate }),
            async a => await api.Capacity.BookAsync(new BookRequest { Parent = In(a, cmo), Booking = new Booking { ClientCompany = In(a, client), Steps = { steps } } }),
            async a => await api.Capacity.ReleaseBookingAsync(new ReleaseBookingRequest { Name = In(a, booking) }),
            async a => await api.Engagements.ListEngagementsAsync(new ListEngagementsRequest { Parent = a }),
        ];
        foreach (var ask in asks)
        {
            // What is another's must be answered exactly as what is nobody's.
            var (there, nowhere) = (await Answer(() => ask(agency), agency), await Answer(() => ask(nobody), nobody));
            if (there != nowhere || !there.StartsWith("NotFound", StringComparison.Ordinal))
            {
                _leaks.Add($"A stranger was answered '{there}' about {agency}, and '{nowhere}' about an agency that is not there.");
            }
        }

        // Under their own name, another's ids are unknown too.
        foreach (var name in new[] { cmo, booking })
        {
            var mine = await Answer(async () => name == cmo
                ? await api.Cmos.GetCmoAsync(new GetCmoRequest { Name = In(own, name) })
                : await api.Capacity.GetBookingAsync(new GetBookingRequest { Name = In(own, name) }), own);
            if (!mine.StartsWith("NotFound", StringComparison.Ordinal))
            {
                _leaks.Add($"A stranger was answered '{mine}' about {In(own, name)}.");
            }
        }

        var events = await platform.Events.ListEventsAsync(new ListEventsRequest { Parent = own, PageSize = 1_000 });
        var others = feed.Select(e => e.Id).ToHashSet(StringComparer.Ordinal);
        _leaks.AddRange(events.Events.Where(e => others.Contains(e.Id)).Select(e => $"The stranger's feed has event {e.Id} of {agency}."));
        if ((await api.Cmos.ListCmosAsync(new ListCmosRequest { Parent = own })).Cmos.Any(c => !c.Name.StartsWith(own + "/", StringComparison.Ordinal))
            || (await api.Capacity.ListBookingsAsync(new ListBookingsRequest { Parent = $"{own}/cmos/-" })).Bookings.Any(b => !b.Name.StartsWith(own + "/", StringComparison.Ordinal)))
        {
            _leaks.Add($"The lists of {own} have what is not its own.");
        }

        _attempts += 3;
        return (_leaks, _attempts);
    }

    private string In(string another, string name) => another + name[agency.Length..];

    private async Task<string> Answer(Func<Task<IMessage>> ask, string name)
    {
        _attempts++;
        try
        {
            return $"an answer: {(await ask()).Descriptor.Name}";
        }
        catch (RpcException e)
        {
            return $"{e.StatusCode} {e.Status.Detail}".Replace(name, "agencies/…", StringComparison.Ordinal).Replace(name["agencies/".Length..], "…", StringComparison.Ordinal);
        }
    }
}
