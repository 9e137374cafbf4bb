using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Agencies.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using NodaTime;
using Date = Google.Type.Date;

namespace AgencyPlatform.Gateway.Tests.Kernel;

public sealed class FieldsTests
{
    private static string[] Violations(Action<Fields> read)
    {
        var fields = new Fields();
        read(fields);
        if (!fields.Any)
        {
            return [];
        }

        var error = Assert.Throws<RpcException>(fields.ThrowIfAny);
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        return [.. error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Select(v => v.Field)];
    }

    [Fact]
    public void Every_bad_field_is_reported_at_once_by_path() => Assert.Equal(
        ["name", "start_date", "zone", "currency", "minutes", "note", "request_id"],
        Violations(f =>
        {
            f.Name<CmoId>("name", "agencies/ACME/cmos/ada", "cmos");
            f.Date("start_date", new Date { Year = 2026, Month = 2, Day = 30 });
            f.TimeZone("zone", "Mars/Olympus");
            f.Currency("currency", "usd");
            f.MinutesOfDay("minutes", 1441);
            f.LongText("note", "a\u0000b", 100);
            f.RequestId("request_id", "one");
        }));

    [Theory]
    [InlineData(2026, 2, 30)]
    [InlineData(2026, 2, 29)]
    [InlineData(2026, 0, 1)]
    [InlineData(0, 1, 1)]
    [InlineData(2026, 13, 1)]
    [InlineData(2026, 4, 31)]
    [InlineData(1899, 12, 31)]
    [InlineData(2200, 1, 1)]
    public void A_date_that_does_not_exist_is_bad(int year, int month, int day) =>
        Assert.Equal(["date"], Violations(f => f.Date("date", new Date { Year = year, Month = month, Day = day })));

    [Fact]
    public void A_leap_day_is_a_date() => Assert.Equal(new LocalDate(2028, 2, 29), new Fields().Date("date", new Date { Year = 2028, Month = 2, Day = 29 }));

    [Theory]
    [InlineData("")]
    [InlineData("Ada")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("a_b")]
    [InlineData("ä")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void An_id_has_one_syntax(string id) => Assert.Equal(["id"], Violations(f => f.Id<CmoId>("id", id)));

    [Fact]
    public void An_id_left_empty_is_the_same_for_the_same_request_id()
    {
        var request = Guid.CreateVersion7().ToString();
        Assert.Equal(new Fields().NewId<CmoId>("id", "", request), new Fields().NewId<CmoId>("id", "", request));
    }

    [Theory]
    [InlineData("agencies/a/cmos/b/bookings/c")]
    [InlineData("agencies/a/clients/b")]
    [InlineData("agencies/a/cmos")]
    [InlineData("cmos/b")]
    [InlineData("agencies/a/cmos/b/")]
    [InlineData("agencies/a/cmos/%2F")]
    public void A_name_of_another_shape_is_bad(string name) => Assert.Equal(["name"], Violations(f => f.Name<CmoId>("name", name, "cmos")));

    [Fact]
    public void A_reference_to_another_agency_is_bad() =>
        Assert.Equal(["cmo"], Violations(f => f.Reference<CmoId>("cmo", "agencies/b/cmos/ada", new AgencyId("a"), "cmos")));

    [Fact]
    public void An_end_not_after_the_start_is_bad() => Assert.Equal(
        ["end_date"],
        Violations(f => f.Range("start_date", new Date { Year = 2026, Month = 3, Day = 2 }, "end_date", new Date { Year = 2026, Month = 3, Day = 2 })));

    [Fact]
    public void Texts_are_bounded() => Assert.Equal(["note", "title"], Violations(f =>
    {
        f.LongText("note", new string('x', 10_000_000), 10_000);
        f.Text("title", "two\nlines", 100);
    }));

    [Fact]
    public void Money_names_a_known_currency_and_a_bounded_amount() => Assert.Equal(
        ["fee.minor_units", "fee.currency", "other"],
        Violations(f =>
        {
            f.Money("fee", new Protocol.Type.V1.Money { MinorUnits = -1, Currency = "XXX" });
            f.Money("other", null);
        }));

    [Fact]
    public void An_unspecified_enum_is_told_the_values()
    {
        var fields = new Fields();
        fields.Enum<Role, Domain.Agencies.Role>("role", Role.Unspecified);
        var error = Assert.Throws<RpcException>(fields.ThrowIfAny);
        Assert.Contains("ROLE_AGENCY_ADMIN, ROLE_OPERATIONS", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_time_out_of_bounds_is_bad() => Assert.Equal(["to"], Violations(f => f.Time("to", new Timestamp { Seconds = long.MaxValue })));

    [Fact]
    public void Without_a_mask_what_is_filled_changes()
    {
        var agency = new Agency { DisplayName = "A", OverbookingPercent = 10 };
        Assert.Equal(["display_name", "overbooking_percent"], new Fields().Mask("update_mask", null, agency, "display_name", "time_zone", "overbooking_percent").Order());
    }

    [Fact]
    public void A_mask_may_not_name_what_does_not_change() =>
        Assert.Equal(["update_mask.paths[0]"], Violations(f => f.Mask("update_mask", new FieldMask { Paths = { "uid" } }, new Agency(), "display_name")));

    [Fact]
    public void An_etag_is_read_back()
    {
        var meta = new Contracts.Meta(17, Guid.CreateVersion7(), default, default);
        Assert.Equal(17, Etags.Version(Etags.Of(meta)));
        Assert.Null(Etags.Version("17"));
        Assert.Null(Etags.Version("x-12345678"));
    }
}
