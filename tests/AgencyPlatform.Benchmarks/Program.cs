using AgencyPlatform.Benchmarks;

return await BenchmarkCommands.Run(args);
