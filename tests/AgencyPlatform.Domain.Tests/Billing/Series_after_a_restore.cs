using AgencyPlatform.Domain.Billing;
using NodaTime;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>Numbers given after a backup stand on documents: the series waits until somebody has said which was the last.</summary>
public sealed class Series_after_a_restore
{
    private static readonly LegalEntityId s_seller = new("seller");
    private static readonly InvoiceSeriesId s_main = new("main");
    private static readonly Instant s_now = Instant.FromUtc(2026, 6, 2, 12, 0);
    private static readonly Guid s_epoch = new("01900000-0000-7000-8000-000000000001");
    private static readonly Guid s_next = new("01900000-0000-7000-8000-000000000002");
    private static readonly InvoiceSeries s_two = Given(InvoiceSeries.Initial, "a", "b");

    [Fact]
    public void It_gives_no_number_until_the_last_one_is_confirmed_and_then_goes_on_after_it()
    {
        var refused = Assign(s_two, s_epoch, "c").Rejection!;
        Assert.Equal((Reasons.SeriesUnconfirmed, "2"), (refused.Reason, refused.Metadata["last_number"]));

        var confirmed = Confirmed(s_two, 5, s_epoch);

        Assert.Equal(6, Assert.Single(((NumbersAssigned)Assert.Single(Assign(confirmed, s_epoch, "c").Events)).Numbers).Number);
        Assert.Equal(2, confirmed.Confirmation!.Known);
    }

    [Fact]
    public void A_series_without_a_number_waits_too_and_none_may_be_the_answer()
    {
        Assert.Equal(Reasons.SeriesUnconfirmed, Assign(InvoiceSeries.Initial, s_epoch, "a").Rejection!.Reason);

        Assert.Equal(1, Given(Confirmed(InvoiceSeries.Initial, 0, s_epoch), "a").Last);
    }

    [Fact]
    public void Less_than_the_journal_has_is_refused() =>
        Assert.Equal("last_number", Assert.Single(Confirm(s_two, 1, s_epoch, restored: true).Rejection!.Fields).Field);

    [Fact]
    public void What_was_said_can_be_said_again_and_mended_until_the_next_number_is_given()
    {
        var wrong = Confirmed(s_two, 5_000, s_epoch);
        Assert.Empty(Confirm(wrong, 5_000, s_epoch, restored: true).Events);
        Assert.NotNull(Confirm(wrong, 1, s_epoch, restored: true).Rejection);

        var right = Confirmed(wrong, 5, s_epoch);

        Assert.Equal((5, 2), (right.Last, right.Confirmation!.Known));
        Assert.Equal(Reasons.SeriesInUse, Confirm(Given(right, "c"), 9, s_epoch, restored: true).Rejection!.Reason);
    }

    [Fact]
    public void Each_restore_asks_anew()
    {
        var confirmed = Confirmed(s_two, 5, s_epoch);

        Assert.Equal(Reasons.SeriesUnconfirmed, Assign(confirmed, s_next, "c").Rejection!.Reason);
        Assert.Equal(7, Given(Confirmed(confirmed, 6, s_next), "c").Last);
    }

    [Fact]
    public void Without_a_restore_only_a_series_without_a_number_goes_on_after_another_systems()
    {
        Assert.Equal(Reasons.SeriesInUse, Confirm(s_two, 9, s_epoch, restored: false).Rejection!.Reason);

        var taken = InvoiceSeries.Initial.Apply(Assert.Single(Confirm(InvoiceSeries.Initial, 41, s_epoch, restored: false).Events));

        Assert.Equal(42, Given(taken, "a").Last);
    }

    private static InvoiceSeries Given(InvoiceSeries series, params string[] invoices) =>
        series.Apply(Assert.Single(Assign(series, series.Confirmation?.Epoch, invoices).Events));

    private static InvoiceSeries Confirmed(InvoiceSeries series, long last, Guid epoch) => series.Apply(Assert.Single(Confirm(series, last, epoch, restored: true).Events));

    private static Decision Confirm(InvoiceSeries series, long last, Guid epoch, bool restored) => series.Confirm(new ConfirmLastNumber(s_seller, s_main, last), SeriesFormat.Default(s_main), "America/New_York", epoch, restored, [], s_now);

    private static Decision Assign(InvoiceSeries series, Guid? restored, params string[] invoices) =>
        series.Assign(new AssignNumbers(s_seller, s_main, [.. invoices.Select(i => new InvoiceId(i))]), SeriesFormat.Default(s_main), "America/New_York", restored, s_now);
}
