using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>
/// Gathers from an engagement's history where that comes from which its bills are computed from: who approved, consented, marked, sold and signed. The engagement's
/// own state keeps only what decisions need.
/// </summary>
public sealed partial class EngagementSources
{
    private readonly SortedDictionary<TimeEntryKey, EntrySource> _entries = [];
    private readonly Dictionary<PartId, PartSource> _milestones = [];
    private readonly List<PartSource> _blocks = [];
    private readonly Dictionary<Terms, TermsSource> _terms = new(ReferenceEqualityComparer.Instance);
    private Engagement _engagement = Engagement.Initial;

    /// <summary>One more event of the history, from the first on.</summary>
    /// <param name="actor">Who caused it.</param>
    public void Apply(IEvent @event, string actor, Instant at)
    {
        var (before, deed) = (_engagement, new Deed(actor, at));
        _engagement = before.Apply(@event);
        Keep(@event, before);
        switch (@event)
        {
            case TimeDrawn e:
                _entries[e.Entry] = new EntrySource(e.Entry, e.Cmo, e.Date, e.Minutes, new Deed(e.ApprovedBy, at), []);
                break;
            case OverageConsented e:
                foreach (var consented in e.Entries)
                {
                    _entries[consented.Entry] = _entries[consented.Entry] with { Consents = _entries[consented.Entry].Consents.Add(new EntryConsent(consented.Minutes, deed)) };
                }

                break;
            case TimeReversed e:
                _entries[e.Entry] = _entries[e.Entry] with { Reversed = deed };
                break;
            case BlockSold e:
                _blocks.Add(new PartSource(e.Block.Id, deed));
                break;
            case MilestoneReached e:
                _milestones[e.Milestone.Id] = new PartSource(e.Milestone.Id, new Deed(e.By, at));
                break;
            case MilestoneReopened e:
                _milestones.Remove(e.Milestone);
                break;
        }

        if (_engagement.Terms != before.Terms)
        {
            foreach (var terms in _engagement.Terms.Where(t => !_terms.ContainsKey(t)))
            {
                _terms[terms] = SourceOf(terms, @event, before, deed);
            }
        }

        if (@event is EngagementProposed)
        {
            // The draft's terms are what is proposed now.
            _terms[_engagement.Terms[0]] = _terms[_engagement.Terms[0]] with { Made = deed };
        }
    }

    /// <summary>What bills are computed from by now, and where it comes from.</summary>
    public BillingSources All() => new(
        _engagement.BillingInputs(), [.. _entries.Values], [.. _engagement.Terms.Select(t => _terms[t]).Select(s => s.Origin == TermsOrigin.Proposal ? s with { Signatures = _engagement.Signatures } : s)],
        [.. _milestones.Values.OrderBy(m => m.Part)], [.. _blocks]);

    private static TermsSource SourceOf(Terms terms, IEvent @event, Engagement before, Deed made) => @event switch
    {
        ScopeChanged => new TermsSource(terms.EffectiveFrom, TermsOrigin.ScopeChange, made, before.Running.Scope?.Signatures ?? []),
        EngagementPaused or EngagementResumed => new TermsSource(terms.EffectiveFrom, TermsOrigin.Pause, made, []),
        TransitionStarted => new TermsSource(terms.EffectiveFrom, TermsOrigin.Taper, made, []),
        _ => new TermsSource(terms.EffectiveFrom, TermsOrigin.Proposal, made, []),
    };
}
