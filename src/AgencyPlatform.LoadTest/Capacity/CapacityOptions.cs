namespace AgencyPlatform.LoadTest.Capacity;

/// <summary>The scenario <c>capacity</c>.</summary>
/// <param name="Agency">An agency that is there, by resource name, with <paramref name="Key"/>; empty: the run makes one of its own.</param>
/// <param name="Skew">How uneven the CMOs are asked: a CMO is drawn as ⌊CMOs × u^skew⌋; 1 is even, 2 gives the first of 64 an eighth of the calls.</param>
/// <param name="Patience">For how long a call whose outcome is unknown is sent again.</param>
internal sealed record CapacityOptions(
    Uri Address, string OperatorKey, string Agency, string Key, int Seed, int Callers, int Cmos, int Clients, int Seconds, double Skew, TimeSpan Patience, string Log);
