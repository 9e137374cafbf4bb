using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Scenarios;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;

namespace AgencyPlatform.LoadTest.Load;

/// <summary>Draws the next call of a caller. The draws of one seed are always the same; how the callers' calls fall together is not.</summary>
internal sealed partial class Draws(LoadAgency agency, Random random, TimeProvider time)
{
    private const int Weeks = 26;

    private LoadBoard Board => agency.Board;

    public Operation Next()
    {
        // Around the wanted number of bookings as many come as go.
        var crowded = Board.Count > agency.Scenario.BookingsPerCmo * agency.Scenario.Cmos;
        var kind = Drawn();
        return kind switch
        {
            Kind.Check => Of(new CheckBookingRequest { Parent = Cmo(), Booking = NewBooking(), Alternatives = false }),
            Kind.Hold or Kind.Book when crowded => Release(),
            Kind.Hold => Hold(),
            Kind.Book => Book(),
            Kind.Confirm => OnAny(b => new ConfirmBookingRequest { Name = b.Name }),
            Kind.Extend => OnAny(b => new ExtendHoldRequest { Name = b.Name, Expiry = Expiry() }),
            Kind.Change => OnAny(b => new ChangeBookingRequest { Name = b.Name, Steps = { Changed(b.Steps) } }),
            Kind.Release => Release(),
            Kind.TimeOff => random.Next(2) == 0 ? TimeOff() : Of(new CancelTimeOffRequest { Name = Cmo(), TimeOffId = $"load-{random.Next(4)}" }),
            _ => Work(kind),
        };
    }

    private Kind Drawn()
    {
        var weight = random.Next(agency.Scenario.Mix.Values.Sum());
        foreach (var (kind, many) in agency.Scenario.Mix)
        {
            if ((weight -= many) < 0)
            {
                return kind;
            }
        }

        return Kind.Check;
    }

    /// <summary>The same id with other content: must be refused.</summary>
    public Operation? Other(Operation operation)
    {
        IMessage? other = operation.Request switch
        {
            HoldBookingRequest r => Edited(r, c => c.Booking = NewBooking()),
            BookRequest r => random.Next(2) == 0 ? Edited(r, c => c.Parent = Cmo()) is var moved && !moved.Equals(r) ? moved : null : Edited(r, c => c.Booking = NewBooking()),
            ReleaseBookingRequest r when Board.Any(random) is { } another && another.Name != r.Name => Edited(r, c => c.Name = another.Name),
            ChangeBookingRequest r => Edited(r, c =>
            {
                c.Steps.Clear();
                c.Steps.Add(Steps());
            }),
            _ => null,
        };
        return other is null || other.Equals(operation.Request) ? null : operation with { Request = other };
    }

    /// <summary>One or two steps, of all forms.</summary>
    public IEnumerable<BookingStep> Steps()
    {
        var start = agency.FirstMonday.AddDays(random.Next(Weeks * 7));
        var first = Step(start, start.AddDays(random.Next(3, 50)));
        if (random.Next(12) == 0)
        {
            // A ramp.
            var end = first.EndDate.ToDate();
            return [first, Step(end, end.AddDays(random.Next(3, 30)))];
        }

        if (random.Next(60) == 0)
        {
            return [new BookingStep { StartDate = start.ToWire(), Flexible = new FlexibleForm { WeeklyMinutes = 60 } }];
        }

        return [first];
    }

    public string Cmo() => agency.Cmo(Skewed(agency.Scenario.Cmos, agency.Scenario.CmoSkew, random));

    public string Client() => agency.Client(random.Next(agency.Scenario.Clients));

    /// <summary>One of so many: ⌊many × u^skew⌋.</summary>
    public static int Skewed(int many, double skew, Random random) => Math.Min(many - 1, (int)(many * Math.Pow(random.NextDouble(), skew)));

    public Operation Of(IMessage request)
    {
        var method = ApiMethod.For(request);
        var id = "";
        if (method.Changes)
        {
            id = Guid.CreateVersion7(time.GetUtcNow()).ToString();
            request.Descriptor.FindFieldByName("request_id").Accessor.SetValue(request, id);
        }

        return new Operation(method, request, id, time.GetTimestamp());
    }

    private Operation Hold() => Of(new HoldBookingRequest { Parent = Cmo(), BookingId = random.Next(2) == 0 ? NewId() : "", Booking = NewBooking(), Expiry = Expiry() });

    private Operation Book() => Of(new BookRequest { Parent = Cmo(), BookingId = random.Next(2) == 0 ? NewId() : "", Booking = NewBooking() });

    private Operation Release() => OnAny(b => new ReleaseBookingRequest { Name = b.Name });

    private Operation OnAny(Func<Booking, IMessage> request) => Board.Any(random) is { } booking ? Of(request(booking)) : Hold();

    private Operation TimeOff()
    {
        var start = agency.FirstMonday.AddDays(random.Next(Weeks * 7));
        return Of(new AddTimeOffRequest
        {
            Name = Cmo(),
            TimeOff = new TimeOff
            {
                TimeOffId = $"load-{random.Next(4)}",
                StartDate = start.ToWire(),
                EndDate = start.AddDays(random.Next(1, 10)).ToWire(),
                Kind = random.Next(2) == 0 ? Protocol.Cmos.V1.TimeOff.Types.Kind.WholeDays : Protocol.Cmos.V1.TimeOff.Types.Kind.HalfDays,
            },
        });
    }

    /// <summary>Two of three holds stand long; the others expire while the load runs.</summary>
    private Duration Expiry() => Duration.FromTimeSpan(random.Next(3) > 0 ? TimeSpan.FromMinutes(30) : TimeSpan.FromMilliseconds(random.Next(300, 8_000)));

    private Booking NewBooking() => new() { ClientCompany = Client(), Steps = { Steps() } };

    private string NewId() => $"{agency.Tag}b-{random.NextInt64(long.MaxValue):x}";

    private BookingStep Step(DateOnly start, DateOnly end)
    {
        var step = new BookingStep { StartDate = start.ToWire(), EndDate = end.ToWire() };
        switch (random.Next(20))
        {
            case < 11:
                step.Flexible = new FlexibleForm { WeeklyMinutes = random.Next(60, 900) };
                break;
            case < 15:
                step.FixedDays = new FixedDaysForm { EveryWeeks = random.Next(4), TuesdayMinutes = random.Next(60, 300), WednesdayMinutes = random.Next(2) * random.Next(60, 300) };
                break;
            case < 17:
                var dates = new DatedForm();
                for (var day = start; day < end && dates.Dates.Count < 6; day = day.AddDays(random.Next(1, 5)))
                {
                    dates.Dates.Add(new DatedForm.Types.DateMinutes { Date = day.ToWire(), Minutes = random.Next(60, 240) });
                }

                step.Dated = dates;
                break;
            default:
                step.PerPeriod = new PerPeriodForm { Minutes = random.Next(300, 3_000), BillCycleDay = random.Next(1, 32), PeriodMonths = random.Next(5) == 0 ? 3 : 1 };
                break;
        }

        return step;
    }

    /// <summary>Resized, moved, shortened, prolonged, or something else altogether.</summary>
    private IEnumerable<BookingStep> Changed(RepeatedField<BookingStep> steps)
    {
        var last = steps[^1].Clone();
        switch (random.Next(4))
        {
            case 0 when last.FormCase == BookingStep.FormOneofCase.Flexible:
                last.Flexible.WeeklyMinutes = Math.Max(60, last.Flexible.WeeklyMinutes + random.Next(-200, 200));
                return [.. steps.SkipLast(1), last];
            case 1 when last.FormCase != BookingStep.FormOneofCase.Dated && last.EndDate is not null:
                last.EndDate = last.EndDate.ToDate().AddDays(random.Next(1, 21)).ToWire();
                return [.. steps.SkipLast(1), last];
            case 2 when last.FormCase is BookingStep.FormOneofCase.Flexible or BookingStep.FormOneofCase.PerPeriod && last.EndDate is not null && steps.Count == 1:
                var days = random.Next(-14, 14);
                last.StartDate = last.StartDate.ToDate().AddDays(days).ToWire();
                last.EndDate = last.EndDate.ToDate().AddDays(days).ToWire();
                return [last];
            default:
                return Steps();
        }
    }

    private static TMessage Edited<TMessage>(TMessage message, Action<TMessage> edit) where TMessage : IDeepCloneable<TMessage>
    {
        var copy = message.Clone();
        edit(copy);
        return copy;
    }
}
