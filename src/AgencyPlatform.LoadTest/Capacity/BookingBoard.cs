using AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.LoadTest.Capacity;

/// <summary>What the callers know to stand: shared, so that they get in each other's way.</summary>
internal sealed class BookingBoard
{
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
}
