using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using AgencyPlatform.Client;
using AgencyPlatform.Host.Tests;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using Microsoft.Playwright;
using Cookie = Microsoft.Playwright.Cookie;
using Date = Google.Type.Date;

namespace AgencyPlatform.Dashboard.Tests;

/// <summary>A host that has run the demo and serves on, and a browser.</summary>
public sealed partial class Demo : IAsyncLifetime
{
    public const string Collection = "demo";

    private readonly TempFolder _folder = new();
    private HostProcess? _host;
    private IPlaywright? _playwright;
    private readonly Dictionary<(string Key, Uri At), IBrowserContext> _signedIn = [];
    private readonly List<IPage> _pages = [];
    private IBrowser? _browser;
    private int _agencies;

    /// <summary>Where the pages are.</summary>
    public Uri Pages => _host!.Http;

    /// <summary>Where its gRPC API is.</summary>
    public Uri Api => _host!.Grpc;

    /// <summary>Of the demo's agency: admin, finance, cmo, client.</summary>
    public Dictionary<string, string> Keys { get; } = [];

    public async Task InitializeAsync()
    {
        _playwright = await Playwright.CreateAsync();
        _browser = await Launch(_playwright);
        _host = await HostProcess.Serve(_folder.Path, null, false, "demo", "--clients", "14", "--cmos", "6", "--months", "2");
        foreach (var line in _host.Welcome.Split('\n'))
        {
            var at = line.IndexOf(" apk_demo_", StringComparison.Ordinal);
            if (at > 0 && !line.Contains("curl", StringComparison.Ordinal) && line.StartsWith("  ", StringComparison.Ordinal))
            {
                var key = line[(at + 1)..].Trim();
                Keys[key.Split('_')[2]] = key;
            }
        }
    }

    /// <summary>Debian's Chromium, as it runs as root and without a screen.</summary>
    public static Task<IBrowser> Launch(IPlaywright playwright) => playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
    {
        ExecutablePath = "/usr/bin/chromium",
        Args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
    });

    /// <summary>A page of somebody who has signed in, once it is live or says that it is not. Pages of one key are of one browser, which knows the site's files.</summary>
    public async Task<IPage> Open(string key, string path = "/", int width = 1440, Uri? at = null)
    {
        at ??= Pages;
        if (!_signedIn.TryGetValue((key, at), out var context))
        {
            context = await NewContext(at);
            await context.AddCookiesAsync([await SignedIn(key, at)]);
            _signedIn[(key, at)] = context;
        }

        var page = await NewPage(context);
        await page.SetViewportSizeAsync(width, 900);
        await Go(page, path);
        return page;
    }

    /// <summary>A page of somebody who has not signed in.</summary>
    public async Task<IPage> OpenAsStranger(string path)
    {
        var page = await NewPage(await NewContext(Pages));
        await page.GotoAsync(path);
        return page;
    }

    /// <summary>Closes what a test has opened: an open page reads on with every event.</summary>
    public async Task ClosePages()
    {
        foreach (var page in _pages)
        {
            await page.CloseAsync();
        }

        _pages.Clear();
    }

    private async Task<IPage> NewPage(IBrowserContext context)
    {
        var page = await context.NewPageAsync();
        _pages.Add(page);
        return page;
    }

    private async Task<IBrowserContext> NewContext(Uri at)
    {
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = at.ToString(),
            ViewportSize = new ViewportSize { Width = 1440, Height = 900 },
            ColorScheme = ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
            Locale = "en-US",
        });
        context.SetDefaultTimeout(30_000);
        return context;
    }

    /// <summary>What a browser is given that signs in with a key; each from a loopback address of its own, as one may try only 20 times a minute.</summary>
    private async Task<Cookie> SignedIn(string key, Uri at)
    {
        var cookies = new CookieContainer();
        using var http = From($"127.0.8.{_signedIn.Count % 250 + 1}", at, cookies);
        using var answer = await SignIn(http, key);
        var cookie = cookies.GetCookies(at)["agencyplatform"] ?? throw new InvalidOperationException($"The key is refused: {answer.StatusCode}.");
        return new Cookie { Name = cookie.Name, Value = cookie.Value, Url = at.ToString(), HttpOnly = true, SameSite = SameSiteAttribute.Lax };
    }

    /// <summary>A program that calls from one of this machine's own addresses.</summary>
    public static HttpClient From(string address, Uri at, CookieContainer? cookies = null) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        CookieContainer = cookies ?? new CookieContainer(),
        ConnectCallback = async (context, cancellation) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            await socket.ConnectAsync(context.DnsEndPoint, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = at };

    /// <summary>Sends the form of the sign-in page.</summary>
    public static async Task<HttpResponseMessage> SignIn(HttpClient http, string key)
    {
        var token = TokenField().Match(await http.GetStringAsync("/sign-in")).Groups[1].Value;
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["_handler"] = "sign-in", ["__RequestVerificationToken"] = token, ["Key"] = key });
        return await http.PostAsync("/sign-in", form);
    }

    /// <summary>Goes to another page of somebody who has signed in.</summary>
    public static async Task Go(IPage page, string path)
    {
        await page.GotoAsync(path);
        await Ready(page);
    }

    /// <summary>Waits until the page can be used: its heading is there, nothing loads, a grid has its rows, and it is live or says that it is not.</summary>
    public static async Task Ready(IPage page)
    {
        await page.Locator("[data-feed=live], [data-feed=still]").WaitForAsync();
        await page.Locator("h1").First.WaitForAsync();
        await page.WaitForFunctionAsync("() => !document.querySelector('.page .mud-progress-linear') && (!document.querySelector('.heat') || document.querySelector('.heat a.cell') !== null)");
    }

    /// <summary>The API with a key of the demo's agency.</summary>
    public AgencyPlatformClient Platform(string key) => new(new AgencyPlatformClientOptions { Address = _host!.Grpc, ApiKey = key });

    /// <summary>A fresh agency with some CMOs, 32 h a week each, and client companies.</summary>
    public async Task<Agency> NewAgency(int cmos = 2, int clients = 2, Uri? grpc = null)
    {
        var id = $"agency-{Interlocked.Increment(ref _agencies)}";
        grpc ??= _host!.Grpc;
        using var @operator = new AgencyPlatformClient(new AgencyPlatformClientOptions { Address = grpc, ApiKey = "apo_development" });
        await @operator.Agencies.CreateAgencyAsync(new CreateAgencyRequest
        {
            AgencyId = id,
            Agency = new Protocol.Agencies.V1.Agency { DisplayName = "Northbound", TimeZone = "America/New_York", DefaultCurrency = "USD" },
            LegalEntities = { new LegalEntity { Name = "us", LegalName = "Northbound LLC", Country = "US", TimeZone = "America/New_York", Currency = "USD" } },
            Sandbox = true,
            SandboxStartTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(new DateTime(2026, 1, 5, 17, 0, 0, DateTimeKind.Utc)),
        });
        var key = (await @operator.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            Parent = $"agencies/{id}",
            ApiKeyId = "admin",
            ApiKey = new ApiKey { DisplayName = "Admin", Roles = { Role.AgencyAdmin } },
        })).Key;
        var agency = new Agency($"agencies/{id}", key, new AgencyPlatformClient(new AgencyPlatformClientOptions { Address = grpc, ApiKey = key }));
        await Parallel.ForAsync(0, cmos, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => await agency.Platform.Cmos.CreateCmoAsync(new CreateCmoRequest
        {
            Parent = agency.Name,
            CmoId = $"cmo-{i + 1:000}",
            Cmo = new Cmo
            {
                DisplayName = $"Cmo {i + 1:000}",
                TimeZone = "America/New_York",
                MaxClients = 5,
                WorkingPatterns =
                {
                    new WorkingPattern
                    {
                        EffectiveDate = new Date { Year = 2026, Month = 1, Day = 1 },
                        MondayMinutes = 480,
                        TuesdayMinutes = 480,
                        WednesdayMinutes = 480,
                        ThursdayMinutes = 480,
                    },
                },
            },
        }));
        for (var i = 0; i < clients; i++)
        {
            await agency.Platform.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
            {
                Parent = agency.Name,
                ClientCompanyId = $"client-{i + 1}",
                ClientCompany = new ClientCompany { DisplayName = $"Client {i + 1}", TimeZone = "America/New_York" },
            });
        }

        return agency;
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex TokenField();

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        _host?.Dispose();
        _folder.Dispose();
    }
}

/// <summary>An agency of a test's own.</summary>
/// <param name="Name"><c>agencies/{id}</c>.</param>
/// <param name="Key">Its admin's.</param>
public sealed record Agency(string Name, string Key, AgencyPlatformClient Platform)
{
    /// <summary>Books hours a week through gRPC.</summary>
    public async Task<Booking> Book(string cmo, int hours, Date from, Date? to = null, string client = "client-1") => await Platform.Capacity.BookAsync(new BookRequest
    {
        Parent = $"{Name}/cmos/{cmo}",
        Booking = new Booking
        {
            ClientCompany = $"{Name}/clientCompanies/{client}",
            Steps = { new BookingStep { StartDate = from, EndDate = to, Flexible = new FlexibleForm { WeeklyMinutes = hours * 60 } } },
        },
    });
}

[CollectionDefinition(Demo.Collection)]
public sealed class DemoCollection : ICollectionFixture<Demo>;
