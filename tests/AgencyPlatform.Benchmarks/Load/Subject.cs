using AgencyPlatform.Benchmarks.Servers;

namespace AgencyPlatform.Benchmarks.Load;

/// <summary>One row of the table: a server and what is asked of it.</summary>
/// <param name="Cmos">How many CMOs the callers share; null: none matters.</param>
/// <param name="Database">Processor time of the database's processes, where they are not the server's own.</param>
/// <param name="Written">Transactions and rows written so far; null: as the server's metrics say.</param>
internal sealed record Subject(
    string Name, int? Cmos, ServerProcess Server, Work Work, Func<TimeSpan>? Database = null, Func<CancellationToken, Task<(double Commits, double Rows)>>? Written = null)
{
    public string Title => Cmos is { } cmos ? $"{Name}, {cmos:N0} CMOs" : Name;
}
