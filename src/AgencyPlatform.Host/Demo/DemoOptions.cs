namespace AgencyPlatform.Host.Demo;

/// <param name="Roster">The agency's own people instead of invented ones.</param>
/// <param name="SkipBadRows">Import the roster's good rows even if others are wrong.</param>
/// <param name="Exit">Stop after the summary.</param>
/// <param name="Year">A year of an agency whose clients come and go, told month by month.</param>
/// <param name="Seed">Of the invented year: the same gives the same.</param>
/// <param name="Kills">How often the server, then a process of its own, is killed and started again.</param>
/// <param name="Pace">Seconds that a simulated week takes at least, to be watched on the dashboard.</param>
public sealed record DemoOptions(
    int Clients = 40, int Cmos = 12, int Months = 3, FileInfo? Roster = null, bool SkipBadRows = false, bool Exit = false, bool Year = false, int Seed = 1, int Kills = 0, int Pace = 0);

/// <summary>The demo cannot go on, said in a sentence.</summary>
public sealed class DemoException(string message) : Exception(message);
