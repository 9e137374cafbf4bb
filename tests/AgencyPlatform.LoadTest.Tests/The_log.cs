using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.LoadTest.Tests;

public sealed class The_log
{
    [Fact]
    public void Has_every_call_and_survives_a_line_cut_off_by_a_kill()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            var request = new ReleaseBookingRequest { Name = "agencies/a/cmos/c/bookings/b", RequestId = "r" };
            using (var log = new CallLog(path, new RunHeader(["agencies/a"], true, "capacity", 1, "http://127.0.0.1:1", TimeProvider.System.GetUtcNow()), TimeProvider.System))
            {
                var (first, _) = log.Begin(0, 7, "Release", "r", "first", request);
                log.Begin(0, 8, "Release", "s", "first", request);
                log.End(first, "OK", "", "", new ReleaseBookingResponse());
                log.Begin(0, 9, "Release", "t", "first", request);
            }

            using (var file = new FileStream(path, FileMode.Open))
            {
                file.SetLength(file.Length - 10);
            }

            var (runs, calls) = CallLog.Read(path);

            Assert.Equal(("agencies/a", true), (runs.Single().Agencies.Single(), runs.Single().Own));
            Assert.Equal([("r", 7, "OK"), ("s", 8, null)], calls.Select(c => (c.Id, c.Caller, c.Code)));
            Assert.Equal(request, calls[0].RequestMessage());
            Assert.True(calls[1].Unknown);
            Assert.True(calls[0].End >= calls[0].Begin);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
