using AgencyPlatform.LoadTest.Checking;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.LoadTest.Tests;

/// <summary>An honest story holds; each thing that is done to it is found, under the right invariant.</summary>
public sealed class The_checker_finds
{
    [Fact]
    public void Nothing_wrong_with_an_honest_story()
    {
        var report = Story.Honest().Check();

        Assert.True(report.Holds, All(report));
        Assert.Equal(5, report.Judged["requests acknowledged"]);
        Assert.Equal(3, report.Judged["accepted bookings and changes recomputed"]);
    }

    [Fact]
    public void A_lost_booking()
    {
        var story = Story.Honest();
        story.Remove(e => e.Type == "cmo.booking-booked");

        Found(story, "L", "is not in the feed");
        Found(story, "R", "by the feed it is nothing");
    }

    [Fact]
    public void A_booking_that_stands_and_is_not_listed()
    {
        var story = Story.Honest();
        story.Bookings.RemoveAt(0);

        Found(story, "R", "is not listed");
    }

    [Fact]
    public void A_doubled_booking()
    {
        var story = Story.Honest();
        var request = story.Feed[^1].RequestId;
        story.Cmo("cmo.booking-booked", story.Feed.First(e => e.Type == "cmo.booking-booked").Payload.Replace("\"b1\"", "\"b1-again\"", StringComparison.Ordinal), request);

        Found(story, "C", "took effect twice");
    }

    [Fact]
    public void A_booking_that_nobody_asked_for()
    {
        var story = Story.Honest();
        story.Cmo("cmo.booking-booked", story.Feed.First(e => e.Type == "cmo.booking-booked").Payload.Replace("\"b1\"", "\"x\"", StringComparison.Ordinal), story.NextRequest());

        Found(story, "C", "the effect of no call");
    }

    [Fact]
    public void An_overbooked_week()
    {
        var story = Story.Honest();
        story.Book("b2", "east", 31, "2027-01-11", "2027-01-18");
        story.Settle();

        Found(story, "O", "made the excess of 2027-01-11 to 2027-01-17 grow");
    }

    [Fact]
    public void A_week_that_is_exactly_full_is_not_overbooked()
    {
        // 600 + 1,320 of 1,920 in the first weeks; what is left in the others.
        var story = Story.Honest();
        story.Book("b2", "east", 1_320, "2027-01-18", "2027-01-25");
        story.Settle();

        Assert.True(story.Check().Holds, All(story.Check()));
    }

    [Fact]
    public void Too_many_clients()
    {
        var story = Story.Honest();
        story.Book("b2", "west", 30, "2027-01-18", "2027-01-25");
        story.Book("b3", "far", 30, "2027-01-18", "2027-01-25");
        story.Settle();

        Found(story, "O", "3 clients on 2027-01-18; 2 are allowed");
    }

    [Fact]
    public void A_competitor_within_the_cooling_off_time()
    {
        var story = Story.Honest();
        story.Book("b2", "south", 60, "2027-02-05", "2027-02-12");
        story.Settle();

        Found(story, "O", "of its competitor north");
    }

    [Fact]
    public void Less_than_the_smallest_block()
    {
        var story = Story.Honest();
        story.Book("b2", "east", 29, "2027-02-15", "2027-02-22");
        story.Settle();

        Found(story, "O", "the smallest block is 30");
    }

    [Fact]
    public void A_hold_confirmed_after_its_expiry()
    {
        var story = Story.Honest();
        story.Hold("h3", "east", 60, "2027-02-15", "2027-02-22", expiresIn: 1);
        story.Confirm("h3");
        story.Settle();

        Found(story, "O", "happened while the hold h3 stood that had expired");
    }

    [Fact]
    public void A_policy_that_the_agency_never_had()
    {
        var story = Story.Honest();
        Edit(story, "cmo.policy-noted", "\"overbookingPercent\":0", "\"overbookingPercent\":50");

        Found(story, "O", "that the agency did not have");
    }

    [Fact]
    public void A_gap_in_the_feed()
    {
        var story = Story.Honest();
        var index = story.Feed.FindIndex(e => e.Type == "client.competitors-set");
        story.Feed.RemoveAt(index);

        Found(story, "F", $"After event {index} comes event {index + 2}");
    }

    [Fact]
    public void Two_readers_who_see_different_feeds()
    {
        var story = Story.Honest();
        story.SecondReader = [.. story.Feed.Select(e => (e.Sequence, Digest.Of(e.Sequence == 3 ? e with { Payload = "{}" } : e)))];

        Found(story, "F", "the first difference at event 3");
    }

    [Fact]
    public void An_order_that_contradicts_what_was_answered_first()
    {
        var story = Story.Honest();
        var (first, second) = (story.Calls[0], story.Calls[2]);
        story.Calls[0] = first with { Begin = second.Begin + 100, End = second.End + 100 };

        Found(story, "F", "was acknowledged before");
    }

    [Fact]
    public void A_retry_that_is_answered_otherwise()
    {
        var story = Story.Honest();
        var other = (Booking)story.Calls[0].ResponseMessage();
        other.Steps[0].Flexible.WeeklyMinutes++;
        story.Repeat(story.Calls[0].Id, response: other);

        Found(story, "C", "was answered in two ways");
    }

    [Fact]
    public void A_retry_that_is_refused_after_an_acknowledgement()
    {
        var story = Story.Honest();
        story.Repeat(story.Calls[0].Id, "AlreadyExists", "ALREADY_EXISTS");

        Found(story, "C", "was acknowledged and then refused");
    }

    [Fact]
    public void A_retry_with_other_content_that_is_not_refused_as_reused()
    {
        var story = Story.Honest();
        var other = (HoldBookingRequest)story.Calls[0].RequestMessage();
        other.Booking.Steps[0].Flexible.WeeklyMinutes++;
        story.Repeat(story.Calls[0].Id, "FailedPrecondition", "REQUEST_ID_REUSED", other: other);
        Assert.True(story.Check().Holds, All(story.Check()));

        story.Repeat(story.Calls[0].Id, "FailedPrecondition", "CAPACITY_EXCEEDED", other: other);
        Found(story, "C", "not REQUEST_ID_REUSED");
    }

    [Fact]
    public void A_request_refused_as_reused_that_was_sent_with_one_content_only()
    {
        var story = Story.Honest();
        var refused = new ReleaseBookingRequest { Name = $"{Story.Ada}/bookings/none", RequestId = story.NextRequest() };
        story.Call("Release", refused, refused.RequestId, null, "FailedPrecondition", "REQUEST_ID_REUSED");

        Found(story, "C", "was never sent with other content");
    }

    [Fact]
    public void A_refusal_that_took_effect()
    {
        var story = Story.Honest();
        story.Calls[0] = story.Calls[0] with { Code = "FailedPrecondition", Reason = "CAPACITY_EXCEEDED", Response = default };

        Found(story, "C", "was refused (FailedPrecondition CAPACITY_EXCEEDED) and took effect all the same");
    }

    [Fact]
    public void An_answer_that_is_not_what_the_event_says()
    {
        var story = Story.Honest();
        var answer = (Booking)story.Calls[0].ResponseMessage();
        answer.Steps[0].Flexible.WeeklyMinutes--;
        story.Calls[0] = story.Calls[0] with { Response = Google.Protobuf.MessageExtensions.ToByteArray(answer) };

        Found(story, "L", "was answered");
    }

    [Fact]
    public void An_event_that_is_not_what_was_asked()
    {
        var story = Story.Honest();
        Edit(story, "cmo.booking-booked", "\"weeklyMinutes\":1320", "\"weeklyMinutes\":1319");

        Found(story, "L", "asked for");
    }

    [Fact]
    public void A_confirmation_that_never_was()
    {
        var story = Story.Honest();
        var confirm = story.Calls.First(c => c.Method == "Confirm");
        story.Remove(e => e.Type == "cmo.booking-confirmed");

        Found(story, "L", $"{confirm.Id} was acknowledged and is not in the feed");
    }

    [Fact]
    public void A_confirmation_that_says_that_it_changed_nothing_of_what_was_never_confirmed()
    {
        var story = Story.Honest();
        var confirm = story.Calls.First(c => c.Method == "Confirm");
        var at = story.Feed.FindIndex(e => e.Type == "cmo.booking-confirmed");
        story.Feed[at] = story.Feed[at] with { Type = "nothing-changed", Payload = "{}" };

        Found(story, "L", $"Confirm {confirm.Id} was acknowledged, and");
    }

    [Fact]
    public void A_booking_that_changed_nothing()
    {
        var story = Story.Honest();
        var at = story.Feed.FindIndex(e => e.Type == "cmo.booking-booked");
        story.Feed[at] = story.Feed[at] with { Type = "nothing-changed", Payload = "{}" };

        Found(story, "L", "by the feed it changed nothing");
    }

    [Fact]
    public void An_availability_that_is_not_the_fold()
    {
        var story = Story.Honest();
        story.Weeks[1].ConfirmedMinutes++;

        Found(story, "R", "availability says");
    }

    [Fact]
    public void A_Get_that_is_not_the_fold()
    {
        var story = Story.Honest();
        story.Got[story.Bookings[0].Name] = null;

        Found(story, "R", "Get says nothing");
    }

    [Fact]
    public void A_CMO_of_another_version()
    {
        var story = Story.Honest();
        story.CmoVersion--;

        Found(story, "R", "CMO ada");
    }

    [Fact]
    public void A_posting_out_of_nothing()
    {
        var story = Story.Honest();
        story.Event(
            "billing-account", "north/us/usd", 1, "billing-account.invoice-finalized",
            """{"posting":{"lines":[{"account":"Receivable","amount":{"minor":100,"currency":"USD"}},{"account":"Revenue","amount":{"minor":-99,"currency":"USD"}}]}}""", "");

        Found(story, "Z", "posts 1 minor units of USD");
    }

    [Fact]
    public void A_booking_whose_engagement_does_not_stand()
    {
        var story = Story.Honest();
        Edit(story, "cmo.booking-held", "\"at\":", "\"owner\":\"launch\",\"at\":");
        story.Engagements.Add(new Engagement { Name = $"{Story.Agency}/engagements/launch", State = EngagementState.Accepted });

        Found(story, "S", "which is Accepted");
    }

    [Fact]
    public void A_paused_engagement_whose_freed_days_are_booked()
    {
        var story = Story.Honest();
        Edit(story, "cmo.booking-held", "\"at\":", "\"owner\":\"launch\",\"at\":");
        var pause = new Pause { FreeFromDate = new DateOnly(2027, 1, 18).ToWire() };
        story.Engagements.Add(new Engagement { Name = $"{Story.Agency}/engagements/launch", State = EngagementState.Paused, Pauses = { pause } });

        Found(story, "S", "which is Paused");
        pause.FreeFromDate = new DateOnly(2027, 2, 1).ToWire();
        Assert.Empty(story.Check().Examples("S"));
    }

    [Fact]
    public void New_steps_that_do_not_fit_in_their_bookings_place()
    {
        var story = Story.Honest();
        HeldInPlaceOfB1(story, 1_321);

        Found(story, "O", "swap made the excess of 2027-01-04 to 2027-01-10 grow");
    }

    [Fact]
    public void New_steps_that_fit_in_their_bookings_place_are_not_overbooked()
    {
        var story = Story.Honest();
        HeldInPlaceOfB1(story, 1_319);
        story.Cmo("cmo.booking-swapped", """{"id":"b1","swap":"swap","at":"2027-01-01T00:00:00Z"}""");

        Assert.Empty(story.Check().Examples("O"));
        story.Cmo("cmo.booking-swapped", """{"id":"b1","swap":"swap","at":"2027-01-01T00:00:00Z"}""");
        Found(story, "R", "there is no booking b1 that it could happen to");
    }

    [Fact]
    public void An_active_engagement_without_its_booking_and_a_saga_that_is_stuck()
    {
        var story = Story.Honest();
        story.Engagements.Add(new Engagement { Name = $"{Story.Agency}/engagements/launch", State = EngagementState.Active, Members = { new Member { Cmo = Story.Ada } } });
        story.Engagements.Add(new Engagement { Name = $"{Story.Agency}/engagements/stuck", State = EngagementState.Accepted, MoveUnderWay = true });

        Found(story, "S", "has 0 bookings");
        Found(story, "S", "is stuck");
    }

    [Fact]
    public void What_another_agency_was_shown()
    {
        var story = Story.Honest();
        story.Leaks.Add("A stranger was answered 'an answer: Cmo'.");

        Found(story, "T", "A stranger");
    }

    [Fact]
    public void A_refusal_for_want_of_capacity_that_there_was_not()
    {
        // 600 + 1,320 of 1,920 stand in the first week: 60 more do not fit there, and would in March.
        var story = Story.Honest();
        Refused(story, "2027-01-04", "2027-01-11");
        Assert.True(story.Check().Holds, All(story.Check()));

        Refused(story, "2027-03-01", "2027-03-08");
        Found(story, "Q", "CAPACITY_EXCEEDED; on no state");

        static void Refused(Story story, string start, string end) => story.Call(
            "Book", new BookRequest { Parent = Story.Ada, BookingId = "late", Booking = Story.Asked("east", 60, start, end) }, story.NextRequest(), null, "FailedPrecondition", "CAPACITY_EXCEEDED");
    }

    [Fact]
    public void A_refusal_by_a_state_that_was_over_when_it_was_sent()
    {
        // h2 stood when the first was sent and answered; it was released, with an answer, before the second was sent.
        var story = Story.Honest();
        var release = story.Calls.First(c => c.Method == "Release");
        var taken = story.Call("Hold", new HoldBookingRequest { Parent = Story.Ada, BookingId = "h2", Booking = Story.Asked("east", 60, "2027-02-15", "2027-02-22") }, story.NextRequest(), null, "AlreadyExists", "ALREADY_EXISTS");
        story.Calls[^1] = taken with { Begin = release.Begin - 2, End = release.Begin + 2 };
        Assert.True(story.Check().Holds, All(story.Check()));

        story.Calls[^1] = taken;
        Found(story, "Q", "ALREADY_EXISTS; on no state");
    }

    [Fact]
    public void A_stale_refusal_for_want_of_capacity()
    {
        // 600 + 1,320 of 1,920 until b1 is released: refused while the release was under way it may be right, sent after its answer it is stale.
        var story = Story.Honest();
        story.Release("b1");
        var release = story.Calls[^1];
        story.Settle();
        var refused = story.Call(
            "Book", new BookRequest { Parent = Story.Ada, BookingId = "late", Booking = Story.Asked("east", 60, "2027-01-04", "2027-01-11") }, story.NextRequest(), null, "FailedPrecondition", "CAPACITY_EXCEEDED");
        story.Calls[^1] = refused with { Begin = release.End!.Value - 1, End = release.End + 9 };
        Assert.True(story.Check().Holds, All(story.Check()));

        story.Calls[^1] = refused with { Begin = release.End!.Value + 1, End = release.End + 9 };
        Found(story, "Q", "CAPACITY_EXCEEDED; on no state");
    }

    [Fact]
    public void A_stale_acceptance()
    {
        // 1,320 fitted until b1 took them: answered that they fit while b1 was under way it may be right, asked after b1's answer it is stale.
        var story = Story.Honest();
        var taken = story.Calls.First(c => c.Method == "Book");
        var asked = story.Call("Check", new CheckBookingRequest { Parent = Story.Ada, Booking = Story.Asked("east", 1_320, "2027-01-04", "2027-01-11") }, "", new CheckBookingResponse { Fits = true });
        story.Calls[^1] = asked with { Begin = taken.End!.Value - 1, End = taken.End + 2 };
        Assert.True(story.Check().Holds, All(story.Check()));

        story.Calls[^1] = asked with { Begin = taken.End!.Value + 1, End = taken.End + 2 };
        Found(story, "Q", "that it fits; on no state");
    }

    [Fact]
    public void A_booking_accepted_on_a_stale_state()
    {
        // Decided as if b1 were not there yet: it took effect, and two hold what one may.
        var story = Story.Honest();
        story.Book("stale", "east", 1_320, "2027-01-04", "2027-01-18");
        story.Settle();

        Found(story, "O", "made the excess of 2027-01-04 to 2027-01-10 grow");
    }

    [Fact]
    public void An_answer_that_a_booking_fits_which_does_not()
    {
        var story = Story.Honest();
        story.Call("Check", new CheckBookingRequest { Parent = Story.Ada, Booking = Story.Asked("east", 60, "2027-03-01", "2027-03-08") }, "", new CheckBookingResponse { Fits = true });
        Assert.True(story.Check().Holds, All(story.Check()));

        story.Call("Check", new CheckBookingRequest { Parent = Story.Ada, Booking = Story.Asked("east", 60, "2027-01-04", "2027-01-11") }, "", new CheckBookingResponse { Fits = true });
        Found(story, "Q", "that it fits; on no state");
    }

    [Theory]
    [InlineData(1, 2, "2027-02-01", "")]
    [InlineData(1, 3, "2027-02-01", "number 1 is followed by 3")]
    [InlineData(1, 1, "2027-02-01", "number 1 is followed by 1")]
    [InlineData(1, 2, "2027-01-31", "before 2027-02-01")]
    [InlineData(1, 1, "2028-01-01", "")]
    [InlineData(1, 2, "2028-01-01", "")]
    [InlineData(1, 3, "2028-01-01", "number 1 is followed by 3")]
    public void A_gap_or_a_duplicate_among_invoice_numbers(int first, int second, string date, string what)
    {
        var story = Story.Honest();
        Final(story, "i1", first, "2027-02-01");
        Final(story, "i2", second, date);
        if (what.Length == 0)
        {
            Assert.True(story.Check().Holds, All(story.Check()));
        }
        else
        {
            Found(story, "N", what);
        }
    }

    [Fact]
    public void An_invoice_listed_under_another_number_and_a_finalization_that_is_stuck()
    {
        var story = Story.Honest();
        Final(story, "i1", 1, "2027-02-01");
        story.Invoices[0].Number = 2;
        story.Event("billing-account", "south/us/usd", 1, "billing-account.finalization-started", """{"invoice":"i9","series":"main"}""", "");

        Found(story, "N", "is listed as main 2");
        Found(story, "S", "finalization of invoice i9 is stuck");
    }

    [Fact]
    public void Balances_that_are_not_what_was_posted()
    {
        var story = Story.Honest();
        story.Balances.Add(new Protocol.Billing.V1.AccountBalance { Account = Protocol.Billing.V1.LedgerAccount.Cash, Balance = new Protocol.Type.V1.Money { MinorUnits = 5, Currency = "USD" } });

        Found(story, "Z", "the balance is 5");
    }

    [Fact]
    public void An_open_amount_that_nobody_owes()
    {
        var story = Story.Honest();
        Final(story, "i1", 1, "2027-02-01");
        story.Invoices[^1].OpenAmount = new Protocol.Type.V1.Money { MinorUnits = 5, Currency = "USD" };

        Found(story, "Z", "5 are open on invoices, and the ledger has 0 receivable");
    }

    [Fact]
    public void Another_agency_in_an_answer()
    {
        var story = Story.Honest();
        story.Calls[0] = story.Calls[0] with { Message = "The booking agencies/globex/cmos/x/bookings/y is in the way." };

        Found(story, "T", "was shown 'agencies/globex'");
    }

    private static void Final(Story story, string invoice, int number, string date)
    {
        var version = story.Feed.Count(e => e.Kind == "invoice-series") + 1;
        story.Event("invoice-series", "us/main", version, "invoice-series.numbers-assigned", $$"""{"legalEntity":"us","series":"main","numbers":[{"invoice":"{{invoice}}","number":{{number}},"issueDate":"{{date}}"}]}""", "");
        story.Event("billing-account", $"{invoice}/us/usd", 1, "billing-account.invoice-finalized", $$"""{"invoice":"{{invoice}}","number":{{number}},"issueDate":"{{date}}"}""", "");
        story.Invoices.Add(new Protocol.Billing.V1.Invoice
        {
            Name = $"{Story.Agency}/invoices/{invoice}",
            Number = number,
            Series = "main",
            DocumentNumber = $"MAIN-{version}",
            State = Protocol.Billing.V1.InvoiceState.Finalized,
        });
    }

    private static void HeldInPlaceOfB1(Story story, int weekly) => story.Cmo(
        "cmo.booking-held",
        story.Feed.First(e => e.Type == "cmo.booking-booked").Payload.Replace("\"b1\"", "\"swap\"", StringComparison.Ordinal)
            .Replace("\"weeklyMinutes\":1320", $"\"weeklyMinutes\":{weekly}", StringComparison.Ordinal)
            .Replace("\"at\":", "\"owner\":\"launch\",\"replaces\":\"b1\",\"at\":", StringComparison.Ordinal));

    private static void Edit(Story story, string type, string from, string to)
    {
        var index = story.Feed.FindIndex(e => e.Type == type);
        var payload = story.Feed[index].Payload.Replace(from, to, StringComparison.Ordinal);
        Assert.NotEqual(payload, story.Feed[index].Payload);
        story.Feed[index] = story.Feed[index] with { Payload = payload };
    }

    private static void Found(Story story, string invariant, string what)
    {
        var report = story.Check();

        Assert.False(report.Holds);
        Assert.True(report.Examples(invariant).Any(e => e.Contains(what, StringComparison.Ordinal)), All(report));
    }

    private static string All(CheckReport report) => string.Join('\n', CheckReport.Invariants.SelectMany(i => report.Examples(i.Letter).Select(e => $"{i.Letter}: {e}")));
}
