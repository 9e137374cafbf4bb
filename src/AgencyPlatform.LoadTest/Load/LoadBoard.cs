using AgencyPlatform.LoadTest.Scenarios;
using AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.LoadTest.Load;

/// <summary>What the callers know to stand: shared, so that they get in each other's way.</summary>
internal sealed class LoadBoard
{
    private const int MostWork = 500;

    private readonly Dictionary<Kind, List<Work>> _work = [];

    private readonly Lock _gate = new();
    private readonly List<Booking> _bookings = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _bookings.Count;
            }
        }
    }

    public Booking? Any(Random random)
    {
        lock (_gate)
        {
            return _bookings.Count == 0 ? null : _bookings[random.Next(_bookings.Count)];
        }
    }

    public void Put(Booking booking)
    {
        lock (_gate)
        {
            if (_places.TryGetValue(booking.Name, out var place))
            {
                _bookings[place] = booking;
            }
            else
            {
                _places[booking.Name] = _bookings.Count;
                _bookings.Add(booking);
            }
        }
    }

    public void Remove(string name)
    {
        lock (_gate)
        {
            if (_places.Remove(name, out var place))
            {
                var last = _bookings[^1];
                _bookings.RemoveAt(_bookings.Count - 1);
                if (last.Name != name)
                {
                    _bookings[place] = last;
                    _places[last.Name] = place;
                }
            }
        }
    }

    /// <summary>Something that waits for an operation of this kind; it is given out once.</summary>
    public Work? Take(Kind kind, Random random) => Find(kind, random, take: true);

    /// <summary>The same, left where it is.</summary>
    public Work? Look(Kind kind, Random random) => Find(kind, random, take: false);

    /// <summary>More than 500 of a kind are not remembered.</summary>
    public void Put(Kind kind, Work work)
    {
        lock (_gate)
        {
            if (!_work.TryGetValue(kind, out var list))
            {
                _work[kind] = list = [];
            }

            if (list.Count < MostWork)
            {
                list.Add(work);
            }
        }
    }

    private Work? Find(Kind kind, Random random, bool take)
    {
        lock (_gate)
        {
            if (!_work.TryGetValue(kind, out var list) || list.Count == 0)
            {
                return null;
            }

            var place = random.Next(list.Count);
            var work = list[place];
            if (take)
            {
                list[place] = list[^1];
                list.RemoveAt(list.Count - 1);
            }

            return work;
        }
    }
}

/// <summary>What waits for somebody to go on with it: an engagement's next move, a timesheet, a draft.</summary>
/// <param name="Entries">Of a timesheet: those that wait. Named, so that a repeat asks for the same.</param>
/// <param name="Stage">Of an engagement: how many moves it has made.</param>
internal sealed record Work(string Name, string Client = "", string Cmo = "", int Stage = 0, DateOnly Start = default, IReadOnlyList<string>? Entries = null);
