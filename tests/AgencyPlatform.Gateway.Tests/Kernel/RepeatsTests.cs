using AgencyPlatform.Protocol.Absences.V1;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Calendars.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Matching.V1;
using AgencyPlatform.Protocol.Performance.V1;
using AgencyPlatform.Protocol.Planning.V1;
using AgencyPlatform.Protocol.Time.V1;
using AgencyPlatform.Protocol.Webhooks.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Date = Google.Type.Date;
using Duration = Google.Protobuf.WellKnownTypes.Duration;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Tests.Kernel;

/// <summary>
/// A repeat of a request that was accepted is answered as it was, whatever has happened since: half a year of an agency is told with every mutation that the API has,
/// then every request of it is sent again. What others say by then (the engagement is paused over the day, is a draft again, is another's) is no longer asked.
/// </summary>
[Collection(PlatformFixture.Collection)]
public sealed class RepeatsTests(PlatformFixture platform)
{
    /// <summary>What a repeat says otherwise, by design: a secret is shown once, nothing is left to settle, and a person has the name of today.</summary>
    private static readonly Dictionary<string, Action<IMessage>> s_otherwise = new()
    {
        ["agencyplatform.agencies.v1.AgenciesService/CreateApiKey"] = answer => ((ApiKey)answer).Key = "",
        ["agencyplatform.calendars.v1.CalendarsService/CreateCalendarLink"] = answer => ((CalendarLink)answer).Path = "",
        ["agencyplatform.agencies.v1.AgenciesService/AdvanceClock"] = answer =>
        {
            var operation = (Google.LongRunning.Operation)answer;
            var done = operation.Response.Unpack<AdvanceClockResponse>();
            (done.Settled, operation.Metadata) = (0, null);
            operation.Response = Any.Pack(done);
        },
        ["agencyplatform.cmos.v1.CmosService/PutReference"] = answer =>
        {
            foreach (var reference in ((Cmo)answer).References)
            {
                (reference.DisplayName, reference.Email) = ("", "");
            }
        },
        ["agencyplatform.clients.v1.ClientsService/PutStakeholder"] = answer =>
        {
            foreach (var stakeholder in ((ClientCompany)answer).Stakeholders)
            {
                stakeholder.DisplayName = "";
            }
        },
    };

    [Fact]
    public async Task Every_request_that_was_accepted_is_answered_again_as_it_was_whatever_has_happened_since()
    {
        using var recording = new Recording(platform);
        await new Told(platform, recording).Tell();

        var mutations = ProtocolFiles.Services.SelectMany(s => s.Methods).Where(m => m.InputType.FindFieldByName("request_id") is not null).Select(m => $"{m.Service.FullName}/{m.Name}");
        Assert.Empty(mutations.Except(recording.Mutations.Select(m => m.Method)));

        var wrong = new List<string>();
        foreach (var (method, request, answer, again) in recording.Mutations)
        {
            try
            {
                var repeated = await again();
                s_otherwise.GetValueOrDefault(method)?.Invoke(answer);
                s_otherwise.GetValueOrDefault(method)?.Invoke(repeated);
                if (!answer.Equals(repeated))
                {
                    wrong.Add($"{method} {request}\n  first {answer}\n  again {repeated}");
                }
            }
            catch (RpcException e)
            {
                wrong.Add($"{method} {request}\n  again {e.Status}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }

    private sealed class Told(PlatformFixture platform, Recording recording)
    {
        private TestAgency _agency = null!;
        private string _admin = "", _acme = "", _bolt = "", _ada = "", _bob = "", _cy = "";

        private T As<T>(string key) where T : ClientBase<T> => (T)Activator.CreateInstance(typeof(T), recording.With(key))!;

        private Task<string> Approver => _agency.Key(Role.ClientApprover, client: "acme");

        private Task<string> Cmo(string id) => _agency.Key(Role.Cmo, cmo: id);

        private AgenciesService.AgenciesServiceClient Agencies => As<AgenciesService.AgenciesServiceClient>(_admin);

        private EngagementsService.EngagementsServiceClient Engagements => As<EngagementsService.EngagementsServiceClient>(_admin);

        private TimeService.TimeServiceClient Time => As<TimeService.TimeServiceClient>(_admin);

        public async Task Tell()
        {
            _agency = await platform.NewAgency();
            _admin = await _agency.Key(Role.AgencyAdmin);
            (_acme, _bolt) = ($"{_agency.Name}/clientCompanies/acme", $"{_agency.Name}/clientCompanies/bolt");
            (_ada, _bob, _cy) = ($"{_agency.Name}/cmos/ada", $"{_agency.Name}/cmos/bob", $"{_agency.Name}/cmos/cy");
            await TheAgency();
            await TheClients();
            await TheCmos();
            await Capacity();
            await Matching();
            await ADraftAgain();
            await ProposalsThatComeToNothing();
            await ARenewal();
            await Charges();
            await TheLaunch();
            await WorkedTime();
            await Covers();
            await Moves();
            await Invoices();
            await Performance();
            await Coaching();
            await Webhooks();
            await Until(7, 6);
        }

        private async Task TheAgency()
        {
            await As<AgenciesService.AgenciesServiceClient>(GatewayOptions.DevelopmentOperatorKey).CreateAgencyAsync(new CreateAgencyRequest
            {
                AgencyId = "told-again",
                Agency = new Agency { DisplayName = "Told again", TimeZone = "Etc/UTC", DefaultCurrency = "USD" },
                LegalEntities = { Entity("main") },
            });
            await Agencies.UpdateAgencyAsync(new UpdateAgencyRequest { Agency = new Agency { Name = _agency.Name, CoolingOffDays = 7 } });
            var uk = await Agencies.CreateLegalEntityAsync(new CreateLegalEntityRequest { Parent = _agency.Name, LegalEntityId = "uk", LegalEntity = Entity("") });
            uk = uk.Clone();
            uk.LegalName = "Another";
            await Agencies.UpdateLegalEntityAsync(new UpdateLegalEntityRequest { LegalEntity = uk });
            await Agencies.SetHolidayCalendarAsync(new SetHolidayCalendarRequest { Name = $"{_agency.Name}/holidayCalendars/us", Days = { Day(5, 25) } });

            // Over by the time of its repeat.
            var key = new ApiKey { DisplayName = "Short", Roles = { Role.Finance }, ExpireTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddSeconds(5)) };
            var made = await Agencies.CreateApiKeyAsync(new CreateApiKeyRequest { Parent = _agency.Name, ApiKeyId = "short", ApiKey = key });
            await Agencies.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = made.Name });

            static LegalEntity Entity(string name) => new() { Name = name, LegalName = "One", Country = "US", TimeZone = "America/New_York", Currency = "USD" };
        }

        private async Task TheClients()
        {
            var clients = As<ClientsService.ClientsServiceClient>(_admin);
            foreach (var id in new[] { "acme", "bolt" })
            {
                await clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
                {
                    Parent = _agency.Name,
                    ClientCompanyId = id,
                    ClientCompany = new ClientCompany { DisplayName = id, TimeZone = "America/New_York", Billing = new BillingDetails { LegalName = id, Country = "US", PaymentTermDays = 30 } },
                });
            }

            foreach (var (id, decides) in new[] { ("ceo", true), ("board", true), ("helper", false), ("gone", false) })
            {
                await clients.PutStakeholderAsync(new PutStakeholderRequest { Name = _acme, Stakeholder = new Stakeholder { PersonId = id, DisplayName = id, Title = id, DecisionMaker = decides } });
            }

            await clients.RemoveStakeholderAsync(new RemoveStakeholderRequest { Name = _acme, PersonId = "gone" });
            await clients.UpdateClientCompanyAsync(new UpdateClientCompanyRequest { ClientCompany = new ClientCompany { Name = _acme, Industry = "Software" } });
            await clients.SetCompetitorsAsync(new SetCompetitorsRequest { Name = _acme, Competitors = { _bolt } });
            await clients.SetCompetitorsAsync(new SetCompetitorsRequest { Name = _acme });
            await clients.SetSignOffRulesAsync(new SetSignOffRulesRequest
            {
                Name = _acme,
                Rules = { new SignOffRule { Subject = SignOffSubject.ScopeChange, Currency = "USD", Bands = { new SignOffBand { Needed = 1 } } } },
            });
            var approver = As<ClientsService.ClientsServiceClient>(await Approver);
            await approver.DelegateSignOffAsync(new DelegateSignOffRequest { Name = _acme, PersonId = "ceo", DelegateId = "helper", StartDate = Day(1, 5), EndDate = Day(1, 9) });
            await approver.RevokeDelegationAsync(new RevokeDelegationRequest { Name = _acme, PersonId = "ceo", StartDate = Day(1, 5) });
        }

        private async Task TheCmos()
        {
            var cmos = As<CmosService.CmosServiceClient>(_admin);
            foreach (var id in new[] { "ada", "bob", "cy" })
            {
                await cmos.CreateCmoAsync(new CreateCmoRequest
                {
                    Parent = _agency.Name,
                    CmoId = id,
                    Cmo = new Cmo { DisplayName = id, Role = "CMO", TimeZone = "America/New_York", MaxClients = 20, WorkingPatterns = { Pattern(Day(1, 1)) } },
                });
            }

            await cmos.UpdateCmoAsync(new UpdateCmoRequest { Cmo = new Cmo { Name = _bob, MaxClients = 9 } });
            await cmos.SetWorkingPatternAsync(new SetWorkingPatternRequest { Name = _cy, WorkingPattern = Pattern(Day(6, 1)) });
            await cmos.SetHolidaysAsync(new SetHolidaysRequest { Name = _cy, HolidayRegion = new HolidayRegion { EffectiveDate = Day(1, 5), Region = "us" } });
            var off = new TimeOff { TimeOffId = "off", StartDate = Day(2, 2), EndDate = Day(2, 4), Kind = TimeOff.Types.Kind.WholeDays };
            var cy = As<CmosService.CmosServiceClient>(await Cmo("cy"));
            await cy.AddTimeOffAsync(new AddTimeOffRequest { Name = _cy, TimeOff = off });
            await cy.CancelTimeOffAsync(new CancelTimeOffRequest { Name = _cy, TimeOffId = "off" });
            var ics = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:skiing\r\nDTSTART;VALUE=DATE:20261221\r\nDTEND;VALUE=DATE:20261223\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
            await cy.ImportTimeOffAsync(new ImportTimeOffRequest { Name = _cy, StartDate = Day(1, 5), Ics = ByteString.CopyFromUtf8(ics) });
            var links = As<CalendarsService.CalendarsServiceClient>(await Cmo("cy"));
            var link = await links.CreateCalendarLinkAsync(new CreateCalendarLinkRequest { Parent = _agency.Name, CalendarLink = new CalendarLink { DisplayName = "Phone", Cmo = _cy } });
            await links.RevokeCalendarLinkAsync(new RevokeCalendarLinkRequest { Name = link.Name });
            await cmos.PutReferenceAsync(new PutReferenceRequest { Name = _cy, Reference = new Reference { ReferenceId = "boss", DisplayName = "Somebody", Email = "boss@example.com" } });
            await cmos.PutReferenceAsync(new PutReferenceRequest { Name = _cy, Reference = new Reference { ReferenceId = "peer", DisplayName = "Somebody" } });
            await cmos.RemoveReferenceAsync(new RemoveReferenceRequest { Name = _cy, ReferenceId = "peer" });
            await cmos.SetCostRateAsync(new SetCostRateRequest { Name = _ada, CostRate = new CostRate { EffectiveDate = Day(1, 1), Hourly = new Money { MinorUnits = 9_000, Currency = "USD" } } });

            static WorkingPattern Pattern(Date from) => new()
            {
                EffectiveDate = from,
                MondayMinutes = 480,
                TuesdayMinutes = 480,
                WednesdayMinutes = 480,
                ThursdayMinutes = 480,
                FridayMinutes = 480,
            };
        }

        private async Task Capacity()
        {
            var capacity = As<CapacityService.CapacityServiceClient>(_admin);
            var expiry = Duration.FromTimeSpan(TimeSpan.FromDays(1));
            var held = await capacity.HoldBookingAsync(new HoldBookingRequest { Parent = _cy, BookingId = "slot", Booking = Spring(600), Expiry = expiry });
            await capacity.ExtendHoldAsync(new ExtendHoldRequest { Name = held.Name, Expiry = Duration.FromTimeSpan(TimeSpan.FromDays(2)) });
            await capacity.ConfirmBookingAsync(new ConfirmBookingRequest { Name = held.Name });
            await capacity.ChangeBookingAsync(new ChangeBookingRequest { Name = held.Name, Steps = { Spring(900).Steps } });
            await capacity.ReleaseBookingAsync(new ReleaseBookingRequest { Name = held.Name });
            await capacity.BookAsync(new BookRequest { Parent = _cy, BookingId = "all", Booking = Spring(2_400) });
            var entry = await capacity.JoinWaitlistAsync(new JoinWaitlistRequest { Parent = _cy, WaitlistEntryId = "waits", Booking = Spring(300), OfferExpiry = expiry });
            await capacity.LeaveWaitlistAsync(new LeaveWaitlistRequest { Name = entry.Name });
            var any = await capacity.CreateCapacityRequestAsync(new CreateCapacityRequestRequest { Parent = _agency.Name, CapacityRequestId = "any", Booking = Spring(300), Cmos = { _cy }, OfferExpiry = expiry });
            await capacity.WithdrawCapacityRequestAsync(new WithdrawCapacityRequestRequest { Name = any.Name });
            await As<PlanningService.PlanningServiceClient>(_admin).ApplyPlanAsync(new ApplyPlanRequest
            {
                Parent = _agency.Name,
                Mode = ApplyPlanRequest.Types.Mode.Hold,
                Assignments = { new Assignment { NeedId = "planned", Cmo = _cy, Booking = new Booking { ClientCompany = _bolt, Steps = { Weekly(60, Day(6, 1), Day(6, 29)) } } } },
            });

            Booking Spring(int minutes) => new() { ClientCompany = _bolt, Steps = { Weekly(minutes, Day(3, 2), Day(6, 1)) } };
        }

        private async Task Matching()
        {
            var (intakes, matching) = (As<IntakesService.IntakesServiceClient>(_admin), As<MatchingService.MatchingServiceClient>(_admin));
            var asked = new Intake { CompanyName = "Asked", TimeZone = "Etc/UTC", MonthlyMinutes = 600, StartDate = Day(11, 2), Months = 2, Contact = new Intake.Types.Contact { DisplayName = "Somebody", Title = "CEO" } };
            var name = (await intakes.CreateIntakeAsync(new CreateIntakeRequest { Parent = _agency.Name, IntakeId = "asked", Intake = asked })).Name;
            await intakes.UpdateIntakeAsync(new UpdateIntakeRequest { Intake = new Intake { Name = name, Industry = "retail" } });
            await intakes.ConvertIntakeAsync(new ConvertIntakeRequest { Name = name, Lead = _cy, LegalEntity = $"{_agency.Name}/legalEntities/main", MonthlyFee = new Money { MinorUnits = 100_000, Currency = "USD" } });
            var gone = await intakes.CreateIntakeAsync(new CreateIntakeRequest { Parent = _agency.Name, IntakeId = "gone", Intake = new Intake { CompanyName = "Gone" } });
            await intakes.CloseIntakeAsync(new CloseIntakeRequest { Name = gone.Name });
            await matching.SetMatchWeightsAsync(new SetMatchWeightsRequest { Name = _agency.Name, Weights = new MatchWeights { Years = 1 } });
            foreach (var id in new[] { "chosen", "withdrawn" })
            {
                await matching.CreateShortlistAsync(new CreateShortlistRequest
                {
                    Parent = _agency.Name,
                    ShortlistId = id,
                    Shortlist = new Shortlist { ClientCompany = _bolt, Steps = { Weekly(60, Day(11, 2), Day(11, 9)) } },
                    Cmos = { _bob, _cy },
                });
            }

            await matching.ChooseFromShortlistAsync(new ChooseFromShortlistRequest { Name = $"{_agency.Name}/shortlists/chosen", OptionId = "b" });
            await matching.WithdrawShortlistAsync(new WithdrawShortlistRequest { Name = $"{_agency.Name}/shortlists/withdrawn" });
        }

        /// <summary>The client signed it, and does not see it any more.</summary>
        private async Task ADraftAgain()
        {
            var draft = Draft("second", _bob, signatures: 2);
            var name = (await Engagements.CreateEngagementAsync(draft)).Name;
            await Engagements.UpdateEngagementAsync(new UpdateEngagementRequest { Engagement = new Engagement { Name = name, BillingStartDate = Day(1, 12) } });
            await Engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name });
            await Engagements.RequestAgreementAsync(new RequestAgreementRequest { Name = name, Cmos = { _bob } });
            await As<EngagementsService.EngagementsServiceClient>(await Cmo("bob")).DeclineAgreementAsync(new DeclineAgreementRequest { Name = name, Cmo = _bob, Reason = "No time." });
            var approver = As<EngagementsService.EngagementsServiceClient>(await Approver);
            await approver.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo", Revision = 1 });
            await approver.CommentOnEngagementAsync(new CommentOnEngagementRequest { Name = name, PersonId = "board", Text = "Later." });
            await Engagements.ReviseEngagementAsync(new ReviseEngagementRequest { Name = name });

            // The bill date that was right before is none of these days.
            var later = new Engagement { Name = name, StartDate = Day(2, 2), BillingStartDate = Day(2, 2), Members = { draft.Engagement.Members[0].Clone() } };
            later.Members[0].Steps[0].StartDate = Day(2, 2);
            await Engagements.UpdateEngagementAsync(new UpdateEngagementRequest { Engagement = later });
        }

        private async Task ProposalsThatComeToNothing()
        {
            var third = (await Engagements.CreateEngagementAsync(Draft("third", _bob))).Name;
            await Engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = third });
            await As<EngagementsService.EngagementsServiceClient>(await Approver).DeclineEngagementAsync(new DeclineEngagementRequest { Name = third, Reason = "Budget." });
            var fourth = (await Engagements.CreateEngagementAsync(Draft("fourth", _bob))).Name;
            await Engagements.WithdrawEngagementAsync(new WithdrawEngagementRequest { Name = fourth });
        }

        private async Task ARenewal()
        {
            var draft = Draft("renewed", _bob);
            draft.Engagement.Term = new TermRules { InitialMonths = 3, Renewal = TermRules.Types.Renewal.BySignature, RenewalMonths = 3 };
            draft.Engagement.Members[0].CmoAgreementWaived = true;
            var name = (await Engagements.CreateEngagementAsync(draft)).Name;
            await Engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name });
            var approver = As<EngagementsService.EngagementsServiceClient>(await Approver);
            await approver.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo" });
            await Engagements.ActivateEngagementAsync(new ActivateEngagementRequest { Name = name });
            await approver.SignRenewalAsync(new SignRenewalRequest { Name = name, PersonId = "ceo" });
        }

        private async Task Charges()
        {
            var draft = Draft("stones", _bob);
            draft.Engagement.Members[0].CmoAgreementWaived = true;
            draft.Engagement.Terms[0].Milestones = new MilestoneTerms
            {
                Milestones = { new Milestone { MilestoneId = "brand", DisplayName = "Brand book", Amount = new Money { MinorUnits = 500_000, Currency = "USD" } } },
            };
            var name = (await Engagements.CreateEngagementAsync(draft)).Name;
            await Engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name });
            await As<EngagementsService.EngagementsServiceClient>(await Approver).SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = "ceo" });
            await Engagements.ActivateEngagementAsync(new ActivateEngagementRequest { Name = name });
            await Engagements.MarkMilestoneReachedAsync(new MarkMilestoneReachedRequest { Name = name, MilestoneId = "brand", ReachDate = Day(1, 5) });
            await Engagements.ReopenMilestoneAsync(new ReopenMilestoneRequest { Name = name, MilestoneId = "brand", Reason = "Another is wanted." });
            await Engagements.SellPrepaidHoursAsync(new SellPrepaidHoursRequest
            {
                Name = $"{_agency.Name}/engagements/renewed",
                Minutes = 60,
                Price = new Money { MinorUnits = 20_000, Currency = "USD" },
                EffectiveDate = Day(1, 5),
                ExpireDate = Day(7, 5),
            });
        }

        private string Launch => $"{_agency.Name}/engagements/launch";

        private async Task TheLaunch()
        {
            await Engagements.CreateEngagementAsync(Draft("launch", _ada));
            await Engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = Launch });
            await As<EngagementsService.EngagementsServiceClient>(await Approver).SignEngagementAsync(new SignEngagementRequest { Name = Launch, PersonId = "ceo" });
            await As<EngagementsService.EngagementsServiceClient>(await Cmo("ada")).AgreeToEngagementAsync(new AgreeToEngagementRequest { Name = Launch, Cmo = _ada });
            await Engagements.ActivateEngagementAsync(new ActivateEngagementRequest { Name = Launch });
            await Engagements.UpdateEngagementAsync(new UpdateEngagementRequest { Engagement = new Engagement { Name = Launch, Labels = { ["tier"] = "gold" } } });
        }

        private async Task WorkedTime()
        {
            await Until(1, 10);
            var sheet = $"{_ada}/timesheets/2026-w02";
            var (ada, approver) = (As<TimeService.TimeServiceClient>(await Cmo("ada")), As<TimeService.TimeServiceClient>(await Approver));
            await ada.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { Entry("a", 5, 80), Entry("b", 5, 50), Entry("c", 6, 60), Entry("d", 6, 30), Entry("e", 6, 10) } });
            await ada.RemoveTimeEntriesAsync(new RemoveTimeEntriesRequest { Name = sheet, EntryIds = { "d" } });
            await ada.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
            await Time.RejectEntriesAsync(new RejectEntriesRequest { Name = sheet, EntryIds = { "c" }, Reason = "Which?" });
            await Time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet, EntryIds = { "a", "b" } });
            await approver.ConsentToOverageAsync(new ConsentToOverageRequest { Name = Launch, Minutes = 10 });

            // One stands as it was; of the other the client sees no more, since it was sent back.
            await approver.DisputeTimeEntryAsync(new DisputeTimeEntryRequest { Name = sheet, EntryId = "b", Reason = "Why?" });
            await Time.ResolveDisputeAsync(new ResolveDisputeRequest { Name = sheet, EntryId = "b", Resolution = DisputeResolution.Restored, Note = "So." });
            await approver.DisputeTimeEntryAsync(new DisputeTimeEntryRequest { Name = sheet, EntryId = "e", Reason = "Why?" });
            await Time.ResolveDisputeAsync(new ResolveDisputeRequest { Name = sheet, EntryId = "e", Resolution = DisputeResolution.Rejected, Note = "Right." });
            await Time.ReverseEntriesAsync(new ReverseEntriesRequest { Name = sheet, EntryIds = { "a" }, Reason = "Twice." });
            await ada.LogAsPlannedAsync(new LogAsPlannedRequest { Name = sheet });
            await As<TimeService.TimeServiceClient>(await Cmo("bob")).ReportNothingWorkedAsync(new ReportNothingWorkedRequest { Name = $"{_bob}/timesheets/2026-w02" });

            // Some rows are refused for what is otherwise by the time of the repeat: the day has come, and the CMO works for the engagement.
            await Time.BatchLogTimeAsync(new BatchLogTimeRequest
            {
                Parent = _agency.Name,
                Rows = { new TimeRow { Cmo = _ada, Entry = Entry("f", 6, 15) }, new TimeRow { Cmo = _ada, Entry = Entry("g", 12, 15) }, new TimeRow { Cmo = _bob, Entry = Entry("f", 6, 15) } },
            });
            var all = new BatchLogTimeRequest { Parent = _agency.Name, AllOrNone = true, Rows = { new TimeRow { Cmo = _ada, Entry = Entry("h", 6, 15) } } };
            await Time.BatchLogTimeAsync(all);
            await Time.ImportTimeAsync(new ImportTimeRequest { Parent = _agency.Name, AllOrNone = true, Csv = "cmo,entry_id,engagement,date,minutes\nada,i,launch,2026-01-07,15\n" });
            await ada.RemoveTimeEntriesAsync(new RemoveTimeEntriesRequest { Name = sheet, EntryIds = { "h", "i" } });
        }

        /// <summary>One that is booked and given up, one that the covering CMO declines: then that one does not see the engagement any more.</summary>
        private async Task Covers()
        {
            var (cy, approver) = (As<EngagementsService.EngagementsServiceClient>(await Cmo("cy")), As<EngagementsService.EngagementsServiceClient>(await Approver));
            foreach (var id in new[] { "taken", "not" })
            {
                await Engagements.RequestCoverAsync(new RequestCoverRequest
                {
                    Name = Launch,
                    Cover = new Cover { CoverId = id, AwayCmo = _ada, CoveringCmo = _cy, Dates = { new CoverDate { Date = Day(1, 20), Minutes = 60 } } },
                });
            }

            await approver.ConsentToCoverAsync(new ConsentToCoverRequest { Name = Launch, CoverId = "taken", PersonId = "ceo" });
            await cy.AgreeToCoverAsync(new AgreeToCoverRequest { Name = Launch, CoverId = "taken", Cmo = _cy });
            await Engagements.BookCoverAsync(new BookCoverRequest { Name = Launch, CoverId = "taken" });
            await Engagements.CancelCoverAsync(new CancelCoverRequest { Name = Launch, CoverId = "taken", StartDate = Day(1, 20) });
            await cy.DeclineCoverAsync(new DeclineCoverRequest { Name = Launch, CoverId = "not", Reason = "Away too." });
        }

        private async Task Moves()
        {
            var (bob, approver) = (As<EngagementsService.EngagementsServiceClient>(await Cmo("bob")), As<EngagementsService.EngagementsServiceClient>(await Approver));
            await Engagements.PauseEngagementAsync(new PauseEngagementRequest { Name = Launch, StartDate = Day(1, 6) });
            await Engagements.ResumeEngagementAsync(new ResumeEngagementRequest { Name = Launch, ResumeDate = Day(1, 13) });
            var change = new ScopeChange
            {
                EffectiveDate = Day(2, 2),
                Members = { new ScopeMember { Cmo = _ada, Role = "lead" }, new ScopeMember { Cmo = _bob, Role = "content", Steps = { Weekly(300, Day(2, 2), null) } } },
            };
            await Engagements.ProposeScopeChangeAsync(new ProposeScopeChangeRequest { Name = Launch, ScopeChange = change });
            await approver.DeclineScopeChangeAsync(new DeclineScopeChangeRequest { Name = Launch, Reason = "No." });
            await Engagements.ProposeScopeChangeAsync(new ProposeScopeChangeRequest { Name = Launch, ScopeChange = change });
            await Engagements.WithdrawScopeChangeAsync(new WithdrawScopeChangeRequest { Name = Launch });
            await Engagements.ProposeScopeChangeAsync(new ProposeScopeChangeRequest { Name = Launch, ScopeChange = change });
            await approver.SignScopeChangeAsync(new SignScopeChangeRequest { Name = Launch, PersonId = "ceo" });
            await bob.AgreeToScopeChangeAsync(new AgreeToScopeChangeRequest { Name = Launch, Cmo = _bob });
            await Engagements.ApplyScopeChangeAsync(new ApplyScopeChangeRequest { Name = Launch });
            await As<AbsencesService.AbsencesServiceClient>(_admin).CreateAbsenceAsync(new CreateAbsenceRequest
            {
                Parent = _agency.Name,
                AbsenceId = "flu",
                Absence = new Absence { Cmo = _ada, StartDate = Day(2, 10), EndDate = Day(2, 11), Reason = "Flu." },
            });
            await Engagements.DeclineCoverAsync(new DeclineCoverRequest { Name = Launch, CoverId = "flu" });
            await Engagements.StartTransitionAsync(new StartTransitionRequest
            {
                Name = Launch,
                Transition = new Transition { Steps = { new TaperStep { EffectiveDate = Day(4, 1), Percent = 50 } }, Checklist = { new HandoverItem { ItemId = "ads", Title = "Ad accounts" } } },
            });
            await bob.PutHandoverItemAsync(new PutHandoverItemRequest { Name = Launch, ItemId = "ads", Done = true });
            await Engagements.EndEngagementAsync(new EndEngagementRequest { Name = Launch, EndDate = Day(6, 1) });
            await Engagements.EndEngagementAsync(new EndEngagementRequest { Name = Launch, EndDate = Day(6, 1) });
        }

        private async Task Invoices()
        {
            var billing = As<BillingService.BillingServiceClient>(_admin);
            await billing.SetInvoiceSeriesSettingsAsync(new SetInvoiceSeriesSettingsRequest
            {
                Name = $"{_agency.Name}/legalEntities/main/invoiceSeries/main",
                Settings = new InvoiceSeriesSettings { Prefix = "RE-{year}-" },
            });
            await billing.ConfirmInvoiceSeriesAsync(new ConfirmInvoiceSeriesRequest { Name = $"{_agency.Name}/legalEntities/main/invoiceSeries/main", LastNumber = 41 });
            await billing.PrepareInvoiceAsync(Prepare("away"));
            await billing.DiscardInvoiceAsync(new DiscardInvoiceRequest { Name = $"{_agency.Name}/invoices/away" });
            var draft = await billing.PrepareInvoiceAsync(Prepare("final"));
            await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = draft.Name });
            await billing.MarkInvoiceSentAsync(new MarkInvoiceSentRequest { Name = draft.Name, Channel = "portal" });
            var wire = await billing.RecordPaymentAsync(Pay("WIRE-1", 90_000_000));
            await billing.RefundCreditAsync(new RefundCreditRequest { Parent = _agency.Name, ClientCompany = _acme, LegalEntity = wire.LegalEntity, Currency = "USD", Amount = Dollars(100), Reference = "BACK-1" });
            await billing.ReversePaymentAsync(new ReversePaymentRequest { Name = wire.Name, Reason = "Called back." });
            var named = Pay("WIRE-2", 1_000);
            named.Allocations.Add(new Allocation { Invoice = draft.Name, Amount = Dollars(500) });
            await billing.RecordPaymentAsync(named);
            await billing.AllocateCreditAsync(new AllocateCreditRequest { Parent = _agency.Name, ClientCompany = _acme, LegalEntity = wire.LegalEntity, Currency = "USD" });
            await billing.CreditInvoiceAsync(new CreditInvoiceRequest { Name = draft.Name, Lines = { new LineCredit { Line = 1, Amount = Dollars(100) } } });
            await billing.WriteOffInvoiceAsync(new WriteOffInvoiceRequest { Name = draft.Name, Reason = "Agreed." });
            var runs = As<BillingRunsService.BillingRunsServiceClient>(_admin);
            await runs.RunBillingAsync(new RunBillingRequest { Parent = _agency.Name, BillingRunId = "february", ToDate = Day(2, 1), Mode = BillingRunMode.Preview });
            await runs.CancelBillingRunAsync(new CancelBillingRunRequest { Name = $"{_agency.Name}/billingRuns/february" });

            // One payout is made by hand and comes back; then everybody is paid.
            var (payables, entity) = (As<PayablesService.PayablesServiceClient>(_admin), $"{_agency.Name}/legalEntities/main");
            var payout = await payables.RecordPayoutAsync(new RecordPayoutRequest
            {
                Parent = _agency.Name,
                PayoutId = "by-hand",
                Payout = new Payout { Cmo = _ada, LegalEntity = entity, Amount = new Money { MinorUnits = 1, Currency = "USD" }, PayDate = Day(1, 10), Reference = "by-hand" },
            });
            await payables.ReversePayoutAsync(new ReversePayoutRequest { Name = payout.Name, ReverseDate = Day(1, 10), Reason = "Account closed." });
            await payables.RunPayoutsAsync(new RunPayoutsRequest
            {
                Parent = _agency.Name,
                PayoutRunId = "january",
                LegalEntity = entity,
                Currency = "USD",
                ThroughDate = Day(1, 10),
                PayDate = Day(1, 10),
                Reference = "january",
            });
            await As<CutOverService.CutOverServiceClient>(_admin).ImportOpenBooksAsync(new ImportOpenBooksRequest
            {
                Parent = _agency.Name,
                OpenBooksImportId = "brought",
                LegalEntity = entity,
                Currency = "USD",
                CutOverDate = Day(1, 10),
                Invoices =
                {
                    new OpenInvoice { ClientCompany = _bolt, Number = "2025-17", IssueDate = Day(1, 2), DueDate = Day(1, 9), TotalAmount = Dollars(500), TaxAmount = Dollars(0), OpenAmount = Dollars(500) },
                },
                ClientCredits = { new OpeningCredit { ClientCompany = _acme, Amount = Dollars(5) } },
                CmoPayables = { new OpeningPayable { Cmo = _cy, Amount = Dollars(7) } },
            });
            await As<BooksService.BooksServiceClient>(_admin).CloseBooksAsync(new CloseBooksRequest { Name = entity, ThroughDate = new Date { Year = 2025, Month = 12, Day = 31 }, AcceptOpenItems = true });
            Money Dollars(long minor) => new() { MinorUnits = minor, Currency = "USD" };

            RecordPaymentRequest Pay(string reference, long amount) => new()
            {
                Parent = _agency.Name,
                ClientCompany = _acme,
                LegalEntity = $"{_agency.Name}/legalEntities/main",
                Currency = "USD",
                Amount = Dollars(amount),
                ReceivedDate = Day(1, 5),
                Reference = reference,
            };

            PrepareInvoiceRequest Prepare(string id) => new()
            {
                Parent = _agency.Name,
                ClientCompany = _acme,
                LegalEntity = $"{_agency.Name}/legalEntities/main",
                Currency = "USD",
                ToDate = Day(2, 1),
                InvoiceId = id,
            };
        }

        /// <summary>What is repeated was recorded before its month was closed, by a CMO who had a part in it.</summary>
        private async Task Performance()
        {
            var (performance, name, kpi) = (As<PerformanceService.PerformanceServiceClient>(_admin), $"{_agency.Name}/scorecards/launch", new Kpi { KpiId = "own", DisplayName = "Own", Formula = "mrr / sign_ups" });
            (kpi.Unit, kpi.Direction) = (KpiUnit.Number, KpiDirection.HigherIsBetter);
            await performance.CreateScorecardAsync(new CreateScorecardRequest { Parent = _agency.Name, Scorecard = new Scorecard { Engagement = Launch } });
            await performance.DefineKpisAsync(new DefineKpisRequest { Name = name, Kpis = { kpi } });
            await performance.SetKpiTargetAsync(new SetKpiTargetRequest { Name = name, KpiId = "sign-ups", Month = new Date { Year = 2025, Month = 12, Day = 1 }, Target = new KpiNumber { Number = "10" } });
            await As<PerformanceService.PerformanceServiceClient>(await Cmo("ada")).RecordKpiValuesAsync(new RecordKpiValuesRequest
            {
                Name = name,
                Values = { new KpiEntry { KpiId = "sign-ups", Month = new Date { Year = 2025, Month = 12, Day = 1 }, Value = new KpiNumber { Number = "5" } } },
            });
            await performance.ImportKpiValuesAsync(new ImportKpiValuesRequest { Name = name, Csv = "kpi,month,value,currency\nmrr,2025-12,1200.50,USD\n" });
            await As<PerformanceService.PerformanceServiceClient>(await Approver).GivePulseAsync(new GivePulseRequest { Name = name, Pulse = new Pulse { Quarter = Day(1, 1), Score = 9, Sentence = "Good." } });
            await performance.CloseKpiPeriodAsync(new CloseKpiPeriodRequest { Name = name, Month = new Date { Year = 2025, Month = 12, Day = 1 } });
            await performance.CreateCommitmentAsync(new CreateCommitmentRequest
            {
                Parent = name,
                CommitmentId = "page",
                Commitment = new Commitment { Text = "A page.", Owner = "lead", DueDate = Day(2, 1) },
            });
            await performance.ResolveCommitmentAsync(new ResolveCommitmentRequest { Name = $"{name}/commitments/page", State = CommitmentState.Kept });
        }

        /// <summary>It has ended by the time of the repeats.</summary>
        private async Task Coaching()
        {
            var (coaching, name) = (As<CoachingService.CoachingServiceClient>(await Cmo("ada")), $"{_agency.Name}/coachingProgrammes/founder");
            await coaching.CreateCoachingProgrammeAsync(new CreateCoachingProgrammeRequest
            {
                Parent = _agency.Name,
                CoachingProgrammeId = "founder",
                CoachingProgramme = new CoachingProgramme { Engagement = Launch, Title = "Founder" },
            });
            await coaching.PutCoachingMaterialAsync(new PutCoachingMaterialRequest { Name = name, Material = new CoachingMaterial { MaterialId = "book", Title = "Book" } });
            foreach (var id in new[] { "first", "second" })
            {
                await coaching.PlanCoachingSessionAsync(new PlanCoachingSessionRequest { Name = name, Session = new CoachingSession { SessionId = id, Date = Day(1, 20), Minutes = 60, Topic = id } });
            }

            await coaching.HoldCoachingSessionAsync(new HoldCoachingSessionRequest
            {
                Name = name,
                SessionId = "first",
                Commitments = { new SessionCommitment { CommitmentId = "page", Text = "A page.", Owner = "founder", DueDate = Day(1, 27) } },
            });
            await coaching.CancelCoachingSessionAsync(new CancelCoachingSessionRequest { Name = name, SessionId = "second" });
            await coaching.FollowUpCommitmentAsync(new FollowUpCommitmentRequest { Name = name, CommitmentId = "page", State = CommitmentState.Dropped });
            await coaching.EndCoachingProgrammeAsync(new EndCoachingProgrammeRequest { Name = name });
        }

        /// <summary>Of an endpoint that nobody listens at, and that is gone by the time of the repeats.</summary>
        private async Task Webhooks()
        {
            var webhooks = As<WebhooksService.WebhooksServiceClient>(_admin);
            var name = (await webhooks.CreateWebhookAsync(new CreateWebhookRequest { Parent = _agency.Name, WebhookId = "crm", Webhook = new Webhook { DisplayName = "CRM", Url = "http://127.0.0.1:1/" } })).Name;
            await webhooks.UpdateWebhookAsync(new UpdateWebhookRequest { Webhook = new Webhook { Name = name, Kinds = { "client" } } });
            await webhooks.UpdateWebhookAsync(new UpdateWebhookRequest { Webhook = new Webhook { Name = name, Disabled = true } });
            await webhooks.RotateWebhookSecretAsync(new RotateWebhookSecretRequest { Name = name });
            await webhooks.PingWebhookAsync(new PingWebhookRequest { Name = name });
            await webhooks.RedeliverEventAsync(new RedeliverEventRequest { Name = name, Sequence = 1 });
            await webhooks.ReplayWebhookAsync(new ReplayWebhookRequest { Name = name, FromSequence = 1 });
            await webhooks.DeleteWebhookAsync(new DeleteWebhookRequest { Name = name });
        }

        private CreateEngagementRequest Draft(string id, string cmo, int signatures = 1) => new()
        {
            Parent = _agency.Name,
            EngagementId = id,
            Engagement = new Engagement
            {
                ClientCompany = _acme,
                Title = id,
                ServiceType = ServiceType.FractionalCmo,
                Lead = cmo,
                Members = { new Member { Cmo = cmo, Role = "lead", Steps = { Weekly(600, Day(1, 5), null) } } },
                Terms =
                {
                    new Terms
                    {
                        Seller = $"{_agency.Name}/legalEntities/main",
                        Currency = "USD",
                        BillCycleDay = 1,
                        Retainer = new RetainerTerms
                        {
                            Fee = new Money { MinorUnits = 800_000, Currency = "USD" },
                            IncludedMinutes = 100,
                            OverageHourlyRate = new Money { MinorUnits = 25_000, Currency = "USD" },
                            OverageGate = OverageGate.Consent,
                        },
                    },
                },
                StartDate = Day(1, 5),
                SignaturesNeeded = signatures,
            },
        };

        private TimeEntry Entry(string id, int day, int minutes) => new() { EntryId = id, Engagement = Launch, Date = Day(1, day), Minutes = minutes };

        private async Task Until(int month, int day) => await Agencies.AdvanceClockAsync(new AdvanceClockRequest
        {
            Name = _agency.Name,
            To = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, month, day, 12, 0, 0, TimeSpan.Zero)),
        });

        private static BookingStep Weekly(int minutes, Date from, Date? until) => new() { StartDate = from, EndDate = until, Flexible = new FlexibleForm { WeeklyMinutes = minutes } };

        private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };
    }
}
