using System.Net;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using Grpc.Core;

namespace AgencyPlatform.Gateway.Tests.Kernel;

[Collection(PlatformFixture.Collection)]
public sealed class ClientTests(PlatformFixture platform)
{
    [Fact]
    public async Task An_answer_that_is_lost_is_asked_for_again_with_the_same_request_id()
    {
        var agency = await platform.NewAgency();
        using var losing = new LosingAnswers(lose: 2);
        using var client = new AgencyPlatformClient(new AgencyPlatformClientOptions
        {
            Address = platform.Grpc,
            ApiKey = await agency.Key(Role.AgencyAdmin),
            HttpHandler = losing,
            FirstRetryDelay = TimeSpan.FromMilliseconds(1),
        });
        var made = await client.Agencies.CreateLegalEntityAsync(new CreateLegalEntityRequest
        {
            Parent = agency.Name,
            LegalEntity = new LegalEntity { LegalName = "Once Ltd", Country = "GB", TimeZone = "Europe/London", Currency = "GBP" },
        });
        Assert.Equal(3, losing.Sent);
        var list = await client.Agencies.ListLegalEntitiesAsync(new ListLegalEntitiesRequest { Parent = agency.Name });
        Assert.Equal([made.Name, agency.Name + "/legalEntities/main"], list.LegalEntities.Select(e => e.Name));
    }

    [Fact]
    public async Task A_refusal_is_not_asked_for_again()
    {
        var agency = await platform.NewAgency();
        using var counting = new LosingAnswers(lose: 0);
        using var client = new AgencyPlatformClient(new AgencyPlatformClientOptions { Address = platform.Grpc, ApiKey = await agency.Key(Role.AgencyAdmin), HttpHandler = counting });
        var error = await Refused.By(client.Agencies.GetLegalEntityAsync(new GetLegalEntityRequest { Name = agency.Name + "/legalEntities/nobody" }));
        Assert.Equal((StatusCode.NotFound, "NOT_FOUND", 1), (error.StatusCode, error.Reason, counting.Sent));
        Assert.False(error.OutcomeUnknown);
    }

    [Fact]
    public void A_key_is_not_sent_in_the_clear_to_another_machine() =>
        Assert.Throws<ArgumentException>(() => new AgencyPlatformClient(new AgencyPlatformClientOptions { Address = new Uri("http://platform.example"), ApiKey = "apk_a_b_c" }));

    /// <summary>Lets every request reach the server and loses the first answers, as a broken connection would.</summary>
    private sealed class LosingAnswers(int lose) : DelegatingHandler(new SocketsHttpHandler())
    {
        public int Sent { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Sent++;
            var response = await base.SendAsync(request, cancellationToken);
            await response.Content.LoadIntoBufferAsync(cancellationToken);
            if (Sent > lose)
            {
                return response;
            }

            response.Dispose();
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "The connection was lost.", new IOException("lost"), HttpStatusCode.OK);
        }
    }
}
