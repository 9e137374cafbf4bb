using AgencyPlatform.LoadTest;

return await LoadTestCommands.Run(args);
