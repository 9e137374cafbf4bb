namespace AgencyPlatform.Storage;

/// <summary>How far a long piece of maintenance has come.</summary>
/// <param name="Events">Events worked through so far.</param>
/// <param name="At">The aggregate or agency it stands at.</param>
public sealed record MaintenanceProgress(long Events, string At);

/// <summary>Where an agency's chain breaks first.</summary>
/// <param name="Sequence">The sequence number at which the break shows.</param>
/// <param name="Problem">What is wrong there.</param>
public sealed record ChainBreak(AgencyId Agency, long Sequence, string Problem);

/// <param name="Agencies">How many agencies were walked.</param>
/// <param name="Events">How many events were walked.</param>
/// <param name="Breaks">The first break of each agency that has one; empty: all chains are whole.</param>
public sealed record ChainReport(int Agencies, long Events, ImmutableArray<ChainBreak> Breaks);

/// <summary>A series of invoice numbers as a restored database has it.</summary>
/// <param name="Series"><c>{legal entity}/{series}</c>.</param>
/// <param name="Last">The last number in the journal; later ones may stand on paper.</param>
/// <param name="IssueDate">Its date: a series may begin again with each year.</param>
public sealed record RestoredSeries(AgencyId Agency, string Series, long Last, LocalDate IssueDate);

/// <param name="Epoch">The new epoch of all feeds.</param>
/// <param name="Agencies">How many agencies were restored.</param>
/// <param name="Events">How many events they have.</param>
/// <param name="Series">The series that have given numbers. These and all others of the agencies give none until their last number is confirmed.</param>
public sealed record RestoreReport(Guid Epoch, int Agencies, long Events, ImmutableArray<RestoredSeries> Series);

/// <summary>What operators' commands do with the journal.</summary>
public interface IJournalMaintenance
{
    /// <summary>Creates or migrates the database. The host does it by itself when it starts; a command without a host calls it.</summary>
    /// <exception cref="SchemaException">The database is not for this program.</exception>
    Task EnsureSchema(CancellationToken cancellation = default);

    /// <summary>Fills all read-model tables and deadlines from the journal and swaps them in at once. Appends wait only for the swap.</summary>
    Task Rebuild(IProgress<MaintenanceProgress>? progress = null, CancellationToken cancellation = default);

    /// <summary>Walks the events of one agency or all: sequence numbers without a gap, hashes as computed, head row as the last event, versions of each aggregate without a gap.</summary>
    Task<ChainReport> VerifyChain(AgencyId? agency = null, IProgress<MaintenanceProgress>? progress = null, CancellationToken cancellation = default);

    /// <summary>Copies an embedded database to a new file while a host goes on writing: everything acknowledged before the call is in it.</summary>
    /// <exception cref="SchemaException">The file is there already, the copy is not whole, or the engine has tools of its own.</exception>
    Task BackUp(string file, CancellationToken cancellation = default);

    /// <summary>
    /// Makes a restored database the one that is served from now on: a new epoch of all feeds, so that cursors of what is lost are refused, and no
    /// finalizing of invoices until each series' last number is confirmed. On an embedded database a backup's file is put in place first.
    /// </summary>
    /// <param name="file">The backup; null: the database is in place already.</param>
    /// <exception cref="SchemaException">There is a database already, the file is no backup, or a host serves the database.</exception>
    Task<RestoreReport> Restore(string? file, CancellationToken cancellation = default);

    /// <summary>All agencies that have events, in order.</summary>
    Task<IReadOnlyList<AgencyId>> ListAgencies(CancellationToken cancellation = default);

    /// <summary>The number of events of one agency or all.</summary>
    Task<long> CountEvents(AgencyId? agency = null, CancellationToken cancellation = default);

    /// <summary>Writes the events of one agency or all as <see cref="JournalLines"/>, agency by agency, in order of sequence. People are not in it: the journal holds none.</summary>
    /// <returns>How many events were written.</returns>
    Task<long> Export(TextWriter to, AgencyId? agency = null, CancellationToken cancellation = default);
}
