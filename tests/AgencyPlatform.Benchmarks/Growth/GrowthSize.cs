using System.Globalization;

namespace AgencyPlatform.Benchmarks.Growth;

/// <summary>
/// How much there is. In proportion: an agency for each 100 client companies, a CMO for each ten, who has a standing booking of a year with each. Beside them,
/// the same for every size, some agencies with a long history: see <see cref="Veterans"/>.
/// </summary>
/// <param name="Events">How many events there are at least: CMOs' booked and released again until then; 0: none but what makes the rest.</param>
/// <param name="LongHistory">Events of each CMO of the veterans.</param>
internal sealed record GrowthSize(int Clients, long Events, int LongHistory)
{
    public const int ClientsOfAgency = 100;
    public const int ClientsOfCmo = 10;

    /// <summary>
    /// How many agencies have a long history. Each has <see cref="VeteranCmos"/> CMOs of <see cref="LongHistory"/> events. The first is asked before anything is timed.
    /// </summary>
    public const int Veterans = 5;

    public const int VeteranCmos = 2;

    public int Agencies => (Clients + ClientsOfAgency - 1) / ClientsOfAgency;

    public int Cmos => Enumerable.Range(0, Agencies).Sum(CmosOf);

    /// <summary>Events of each veteran agency itself, which change its settings.</summary>
    public int VeteranSettings => LongHistory / 5;

    /// <summary>Client companies of the first veteran: the list that is paged through.</summary>
    public int Listed => LongHistory / 2;

    public string Title => string.Create(CultureInfo.InvariantCulture, $"{Clients:N0} clients{(Events > 0 ? $", {Events:N0} events" : "")}");

    public int ClientsOf(int agency) => Math.Min(ClientsOfAgency, Clients - (agency * ClientsOfAgency));

    public int CmosOf(int agency) => (ClientsOf(agency) + ClientsOfCmo - 1) / ClientsOfCmo;

    public static string Agency(int number) => string.Create(CultureInfo.InvariantCulture, $"bench-{number:00000}");

    public static string Veteran(int number) => string.Create(CultureInfo.InvariantCulture, $"veteran-{number}");

    /// <summary>A client company's id within its agency, and a CMO's.</summary>
    public static string Client(int number) => string.Create(CultureInfo.InvariantCulture, $"client-{number:00000}");

    public static string Cmo(int number) => string.Create(CultureInfo.InvariantCulture, $"cmo-{number:00000}");
}
