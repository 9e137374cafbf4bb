using AgencyPlatform.Benchmarks.Servers;

namespace AgencyPlatform.Benchmarks.Load;

/// <summary>One row of the table: a server and what is asked of it.</summary>
/// <param name="Database">Processor time of the database's processes, where they are not the server's own.</param>
internal sealed record Subject(string Name, ServerProcess Server, Work Work, Func<TimeSpan>? Database = null);
