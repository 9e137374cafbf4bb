using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>Sells a block of hours. What is null or 0 is as the prepaid terms on the date say.</summary>
/// <param name="Id">Null: derived from the date.</param>
/// <param name="Minutes">1–600,000; 0: as the terms say.</param>
/// <param name="Price">Minor units; null: as the terms say.</param>
/// <param name="EffectiveAt">The first date of entries that may draw on it; of the engagement.</param>
/// <param name="ExpiresAt">The first date that no longer may; null: as the terms say.</param>
[GenerateSerializer, Immutable, Alias("engagement.sell-hours")]
public sealed record SellHours(PartId? Id, int Minutes, Money? Price, LocalDate EffectiveAt, LocalDate? ExpiresAt);

/// <summary>A block of hours was sold: it is on the meter, and charged on its first day.</summary>
/// <param name="ForLater">Its first day is to come; null: it is there.</param>
[Event("engagement.block-sold"), GenerateSerializer, Immutable, Alias("engagement.block-sold")]
public sealed record BlockSold(PrepaidBlock Block, bool? ForLater = null) : IEngagementTimeEvent;

/// <summary>A block that was sold for later is there. One that is there when it is sold is so without this event.</summary>
[Event("engagement.block-opened"), GenerateSerializer, Immutable, Alias("engagement.block-opened")]
public sealed record BlockOpened(GrantId Grant, int Minutes) : IEngagementTimeEvent;

/// <summary>Prepaid blocks: grants that were sold up front, and expire. Source: domain §4, §5.</summary>
public sealed partial record Engagement
{
    public const int MostBlocks = 1_000;

    /// <summary>Under prepaid terms, or beside a retainer's included minutes. The same block again changes nothing.</summary>
    /// <param name="now">When it is sold.</param>
    public Decision SellHours(SellHours command, Instant now) => In("sell hours", s_running, () =>
    {
        var (sold, terms) = (Time.Blocks ?? [], Service.Contains(command.EffectiveAt) ? TermsOn(command.EffectiveAt) : Terms[^1]);
        var own = terms as PrepaidTerms;
        var wrong = ImmutableArray.CreateBuilder<FieldViolation>();
        Check(Service.Contains(command.EffectiveAt), "effective_date", $"must be a day of the engagement {Service}");
        Check(terms.HasMeter, "effective_date", "must be a day whose terms have a meter: a retainer or prepaid hours");
        Check(command.Minutes > 0 || own is not null, "minutes", "must be given: the terms name no block");
        Check(command.Price is not null || own is not null, "price", "must be given: the terms name no block");
        Check(command.Price is not { } price || price.Currency == terms.Currency, "price.currency", $"must be the terms' currency, {terms.Currency}");
        Check(command.ExpiresAt is not null || own is not null, "expire_date", "must be given: the terms name no block");
        Check(command.ExpiresAt is not { } end || end > command.EffectiveAt, "expire_date", "must be after the effective date");
        Check(sold.Length < MostBlocks, "block_id", $"must be one of at most {MostBlocks} blocks over time");
        if (wrong.Count > 0)
        {
            return Rejection.Invalid(wrong.ToArray());
        }

        var block = new PrepaidBlock(
            command.Id ?? NextBlock(sold, command.EffectiveAt), command.Minutes > 0 ? command.Minutes : own!.BlockMinutes, command.Price?.Minor ?? own!.BlockPrice,
            command.EffectiveAt, command.ExpiresAt ?? command.EffectiveAt.PlusMonths(own!.ValidMonths), own?.Priority ?? Grant.PrepaidPriority);
        return sold.FirstOrDefault(b => b.Id == block.Id) is { } known
            ? known == block ? Decision.Nothing : Rejection.AlreadyExists("prepaid_block", block.Id.Value)
            : Decision.Accept(new BlockSold(block, block.EffectiveAt > SellersToday(now) ? true : null));

        void Check(bool right, string field, string rule)
        {
            if (!right)
            {
                wrong.Add(new FieldViolation(field, rule));
            }
        }
    });

    /// <summary>The block that the activation sells.</summary>
    private ImmutableArray<IEvent> FirstBlock() => Terms[0] is PrepaidTerms terms ? [new BlockSold(BlockOf(terms, Plan.Start, toppedUp: false), Plan.Start > SellersToday(Saga!.StartedAt) ? true : null)] : [];

    /// <summary>The blocks that the terms' threshold sells before so many minutes of a date are drawn: as many as leave no less than it.</summary>
    private ImmutableArray<IEvent> ToppedUp(LocalDate date, int minutes)
    {
        if (TermsOn(date) is not PrepaidTerms { TopUpBelowMinutes: { } least } terms)
        {
            return [];
        }

        var (state, sales) = (this, ImmutableArray.CreateBuilder<IEvent>());
        for (var left = MeterOn(date).RemainingOn(date) - minutes; left < least && state.Time.Blocks is not { Length: >= MostBlocks }; left += terms.BlockMinutes)
        {
            var sale = new BlockSold(state.BlockOf(terms, date, toppedUp: true));
            sales.Add(sale);
            state = state.Apply(sale);
        }

        return sales.ToImmutable();
    }

    private PrepaidBlock BlockOf(PrepaidTerms terms, LocalDate date, bool toppedUp) => new(
        NextBlock(Time.Blocks ?? [], date), terms.BlockMinutes, terms.BlockPrice, date, date.PlusMonths(terms.ValidMonths), terms.Priority, toppedUp);

    /// <summary>The first id of a date that no block has.</summary>
    private static PartId NextBlock(ImmutableArray<PrepaidBlock> sold, LocalDate date) =>
        Enumerable.Range(1, sold.Length + 1).Select(n => new PartId($"block-{Text(date)}-{Text(n)}")).First(id => sold.All(b => b.Id != id));

    // ---- what time alone does ----

    /// <summary>When the next block that waits for its first day is there, or one expires of which something is left.</summary>
    private Instant? NextOfBlocks => Earliest(NextToOpen is { } opens ? StartOf(opens.EffectiveAt) : null, NextToLapse is { } lapses ? StartOf(lapses.ExpiresAt) : null);

    private PrepaidBlock? NextToOpen => Time.Blocks?.Where(b => Time.Waiting?.Contains(b.Grant.Id) == true).OrderBy(b => b.EffectiveAt).ThenBy(b => b.Id).FirstOrDefault();

    private PrepaidBlock? NextToLapse =>
        Time.Blocks?.Where(b => Time.Lapsed?.Contains(b.Grant.Id) != true && Left(b) > 0).OrderBy(b => b.ExpiresAt).ThenBy(b => b.Id).FirstOrDefault();

    private ImmutableArray<IEvent> MoveBlocks(Instant due) =>
        NextToOpen is { } opens && StartOf(opens.EffectiveAt) == due ? [new BlockOpened(opens.Grant.Id, opens.Minutes)]
        : NextToLapse is { } lapses ? [new GrantExpired(lapses.Grant.Id, Left(lapses)), .. EarnedBy([new GrantExpired(lapses.Grant.Id, Left(lapses))], lapses.ExpiresAt)]
        : [];

    private int Left(PrepaidBlock block) => block.Minutes - Time.Drawn.GetValueOrDefault(block.Grant.Id);
}
