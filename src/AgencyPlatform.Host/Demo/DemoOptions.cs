namespace AgencyPlatform.Host.Demo;

/// <param name="Roster">The agency's own people instead of invented ones.</param>
/// <param name="SkipBadRows">Import the roster's good rows even if others are wrong.</param>
/// <param name="Exit">Stop after the summary.</param>
public sealed record DemoOptions(int Clients = 40, int Cmos = 12, int Months = 3, FileInfo? Roster = null, bool SkipBadRows = false, bool Exit = false);

/// <summary>The demo cannot go on, said in a sentence.</summary>
public sealed class DemoException(string message) : Exception(message);
