using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using NodaTime;
using Orleans.Core.Internal;

namespace AgencyPlatform.Grains.Tests.Billing;

/// <summary>
/// The finalization of an invoice on a real silo with a SQLite file: the call to the series fails before it or after it (its answer lost), and the
/// account's activation is thrown away; the caller repeats with the same request id, or does not and the deadline carries on.
/// </summary>
public sealed class Finalization_survives_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{
    private static readonly AccountId s_account = new(new ClientCompanyId("acme"), new LegalEntityId("main"), new Currency("USD"));

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public async Task Whatever_step_fails_the_invoice_gets_one_number_and_is_posted_once(bool after, bool repeats)
    {
        var agency = new AgencyId($"finalize-{(after ? "after" : "before")}-{(repeats ? "repeats" : "gone")}");
        var account = await Drafted(agency);
        silo.Faults.Arm(agency, [nameof(IInvoiceSeriesGrain.Assign)], 0, after);

        var request = Guid.CreateVersion7();
        await Assert.ThrowsAsync<UnavailableException>(() => account.Finalize(WorkedWeek.Called(agency, request, "finalize"), new InvoiceId("first")));
        Assert.True(silo.Faults.Fired(agency));
        Assert.Equal(InvoiceState.Finalizing, (await account.Get(new Read(agency, WorkedWeek.Friday), new InvoiceId("first"))).Value!.State);
        await account.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        if (!repeats)
        {
            // The deadline's wake-up does what is left.
            await account.Settle(WorkedWeek.Friday + Duration.FromSeconds(20));
        }

        var final = await account.Finalize(WorkedWeek.Called(agency, request, "finalize"), new InvoiceId("first"));
        Assert.Equal((InvoiceState.Finalized, 1L), (final.Value!.State, final.Value.Number!.Value));
        Assert.Equal(final.Meta, (await account.Finalize(WorkedWeek.Called(agency, request, "finalize"), new InvoiceId("first"))).Meta);

        var postings = await silo.ReadModels.List<PostingRow>(agency, Query.All(100));
        Assert.Equal(0, postings.Sum(p => p.Amount));
        Assert.Equal(final.Value.Content.Total, postings.Where(p => p.Account == LedgerAccount.Receivable).Sum(p => p.Amount));
        Assert.Equal(1, (await silo.ReadModels.List<InvoiceNumberRow>(agency, Query.All(10))).Single().Number);
    }

    [Fact]
    public async Task Numbers_asked_for_by_many_at_once_are_given_once_and_have_no_gap()
    {
        var agency = new AgencyId("series");
        await Drafted(agency);
        var series = silo.Grains.Of<IInvoiceSeriesGrain>(agency, "main/books");
        var replies = await Task.WhenAll(Enumerable.Range(0, 120).Select(i => series.Assign(
            WorkedWeek.Called(agency), new AssignNumbers(new LegalEntityId("main"), new InvoiceSeriesId("books"), [new InvoiceId($"i-{i % 40}"), new InvoiceId($"i-{(i + 7) % 40}")]))));

        var given = replies.SelectMany(r => r.Value).Distinct().ToList();
        Assert.Equal(40, given.Count);
        Assert.Equal(Enumerable.Range(1, 40).Select(n => (long)n), given.Select(g => g.Number).Order());
        Assert.Equal(given.OrderBy(g => g.Invoice), (await silo.ReadModels.List<InvoiceNumberRow>(agency, Query.All(100))).Select(r => new AssignedNumber(r.Invoice, r.Number, r.IssueDate, r.Printed)));
    }

    [Fact]
    public async Task Over_a_years_end_each_year_has_its_own_numbers_whoever_asks_at_once_and_again()
    {
        var (agency, entity, books) = (new AgencyId("new-year"), new LegalEntityId("main"), new InvoiceSeriesId("books"));
        await Drafted(agency);
        var format = new SeriesFormat("RE-{year}-", 4, true);
        WorkedWeek.Ok(await silo.Grains.Agency(agency).SetInvoiceSeries(WorkedWeek.Called(agency), new SetInvoiceSeries(entity, books, format, GivesNumbers: false)));
        var series = silo.Grains.Of<IInvoiceSeriesGrain>(agency, "main/books");

        // The last minute of the year in New York, then some at either side of its end at once, then the first minute of the next.
        var (before, after) = (Instant.FromUtc(2027, 1, 1, 4, 59), Instant.FromUtc(2027, 1, 1, 5, 0));
        var replies = new List<Reply<ImmutableArray<AssignedNumber>>>();
        foreach (var clocks in new[] { [before], new[] { before, after, before }, [after] })
        {
            replies.AddRange(await Task.WhenAll(Enumerable.Range(0, 90).Select(i => series.Assign(
                WorkedWeek.Called(agency) with { SandboxNow = clocks[i % clocks.Length] },
                new AssignNumbers(entity, books, [new InvoiceId($"i-{clocks.Length}-{i % 30}"), new InvoiceId($"i-{clocks[0].ToUnixTimeTicks() % 7}-{(i + 7) % 30}")])))));
        }

        Assert.All(replies, r => Assert.Null(r.Rejection));
        var given = replies.SelectMany(r => r.Value).Distinct().ToList();
        Assert.Equal(given.Count, given.Select(g => g.Invoice).Distinct().Count());
        Assert.Equal(given.Count, given.Select(g => g.Printed).Distinct().Count());
        Assert.Equal([2026, 2027], given.Select(g => g.IssueDate.Year).Distinct().Order());
        Assert.All(given.GroupBy(g => g.IssueDate.Year), year => Assert.Equal(Enumerable.Range(1, year.Count()).Select(n => format.Print(n, year.Key)), year.OrderBy(g => g.Number).Select(g => g.Printed)));
        Assert.Equal(given.OrderBy(g => g.Invoice), (await silo.ReadModels.List<InvoiceNumberRow>(agency, Query.All(500))).Select(r => new AssignedNumber(r.Invoice, r.Number, r.IssueDate, r.Printed)));

        var renamed = await silo.Grains.Agency(agency).SetInvoiceSeries(WorkedWeek.Called(agency), new SetInvoiceSeries(entity, books, format with { Prefix = "R-{year}-" }, GivesNumbers: false));
        Assert.Equal(Reasons.SeriesPrefixFixed, renamed.Rejection!.Reason);
    }

    /// <summary>The account of Acme with the draft of a fee and 150 minutes beyond it.</summary>
    private async Task<IBillingAccountGrain> Drafted(AgencyId agency)
    {
        var (sheet, _) = await WorkedWeek.Submitted(silo, agency, OverageGate.Bill);
        WorkedWeek.Ok(await sheet.Approve(WorkedWeek.Called(agency), new([])));
        var account = silo.Grains.Of<IBillingAccountGrain>(agency, s_account.Key);
        var draft = await account.Prepare(WorkedWeek.Called(agency), new PrepareInvoice(s_account, new LocalDate(2026, 4, 9), new InvoiceId("first"), new InvoiceId("first")));
        WorkedWeek.Ok(draft);
        Assert.Equal([800_000, 62_500, 800_000], draft.Value!.Content.Lines.Select(l => l.Amount));
        return account;
    }
}
