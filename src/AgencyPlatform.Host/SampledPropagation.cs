using System.Diagnostics;

namespace AgencyPlatform.Host;

/// <summary>
/// Orleans' propagation of traces through grain calls, for the calls that are traced: the others, nearly all, pay nothing for it.
/// </summary>
internal static class SampledPropagation
{
    public static ISiloBuilder AddSampledActivityPropagation(this ISiloBuilder silo)
    {
        var before = silo.Services.Count;
        silo.AddActivityPropagation();
        for (var i = before; i < silo.Services.Count; i++)
        {
            if (silo.Services[i] is { ImplementationType: { } filter, IsKeyedService: false } service)
            {
                if (service.ServiceType == typeof(IOutgoingGrainCallFilter))
                {
                    silo.Services[i] = ServiceDescriptor.Singleton<IOutgoingGrainCallFilter>(sp => new Outgoing((IOutgoingGrainCallFilter)ActivatorUtilities.CreateInstance(sp, filter)));
                }
                else if (service.ServiceType == typeof(IIncomingGrainCallFilter))
                {
                    silo.Services[i] = ServiceDescriptor.Singleton<IIncomingGrainCallFilter>(sp => new Incoming((IIncomingGrainCallFilter)ActivatorUtilities.CreateInstance(sp, filter)));
                }
            }
        }

        return silo;
    }

    private sealed class Outgoing(IOutgoingGrainCallFilter inner) : IOutgoingGrainCallFilter
    {
        public Task Invoke(IOutgoingGrainCallContext context) => Activity.Current is { Recorded: true } ? inner.Invoke(context) : context.Invoke();
    }

    private sealed class Incoming(IIncomingGrainCallFilter inner) : IIncomingGrainCallFilter
    {
        // A traced call's context comes with the request's.
        public Task Invoke(IIncomingGrainCallContext context) => RequestContext.Get("traceparent") is not null ? inner.Invoke(context) : context.Invoke();
    }
}
