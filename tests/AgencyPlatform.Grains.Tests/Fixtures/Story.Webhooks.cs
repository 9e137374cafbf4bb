using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Webhooks;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Webhooks;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Fixtures;

/// <summary>An endpoint that fails now and then, and is disabled in the end; one that is gone.</summary>
internal sealed partial class Story
{
    private async Task Webhooks()
    {
        using var endpoint = new Endpoint();
        var (crm, acme) = (grains.Of<IWebhookGrain>(s_agency, "crm"), grains.Of<IClientCompanyGrain>(s_agency, "acme"));
        Ok(await crm.Create(Next(), new CreateWebhook(new("crm"), new WebhookEndpoint(endpoint.Url, "CRM", ["client"], []))));

        // One event is taken when it comes a second time; the next is given up after the second attempt, and sent again by hand.
        endpoint.Answers(500, 204, 500, 500);
        Ok(await acme.SetCompetitors(Next(), new SetCompetitors([])));
        Ok(await acme.SetCompetitors(Next(), new SetCompetitors([s_clients.Bolt])));
        var failed = (await Webhook(crm, w => !w.Failed.IsEmpty)).Failed.Values.Single();
        Assert.Equal(2, failed.Attempts);
        var redelivered = await crm.Redeliver(Next(), failed.Sequence);
        Ok(redelivered);
        Assert.True(redelivered.Value!.Taken);
        Ok(await crm.Ping(Next()));
        Ok(await crm.RotateSecret(Next(), new RotateWebhookSecret(Duration.FromHours(24))));
        Ok(await crm.Update(Next(), new UpdateWebhook(null, "CRM of the sales team", null, ["engagement.created"], true)));
        Ok(await crm.Replay(Next(), 1));
        Ok(await crm.Update(Next(), new UpdateWebhook(null, null, [], ["no-such.event"], false)));
        Ok(await crm.Update(Next(), new UpdateWebhook(null, null, ["client"], [], true)));

        var old = grains.Of<IWebhookGrain>(s_agency, "old");
        Ok(await old.Create(Next(), new CreateWebhook(new("old"), new WebhookEndpoint(endpoint.Url, "Old", [], []))));
        Ok(await old.Delete(Next()));
    }

    private async Task<Webhook> Webhook(IWebhookGrain webhook, Func<Webhook, bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var state = (await webhook.Get(new Read(s_agency, _now))).Value!;
            if (condition(state))
            {
                return state;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
        }
    }

    /// <summary>A web server on loopback that answers as it is told, and with 204 when it was told nothing.</summary>
    private sealed class Endpoint : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly ConcurrentQueue<int> _answers = new();

        public Endpoint()
        {
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Url = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/";
            }

            _listener.Prefixes.Add(Url);
            _listener.Start();
            _ = Task.Run(Serve);
        }

        public string Url { get; }

        public void Answers(params ReadOnlySpan<int> statuses)
        {
            foreach (var status in statuses)
            {
                _answers.Enqueue(status);
            }
        }

        public void Dispose() => _listener.Close();

        private async Task Serve()
        {
            try
            {
                while (true)
                {
                    var context = await _listener.GetContextAsync();
                    context.Response.StatusCode = _answers.TryDequeue(out var status) ? status : 204;
                    context.Response.Close();
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // The story has ended.
            }
        }
    }
}
