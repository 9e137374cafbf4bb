using AgencyPlatform.Host.Commands;

return await HostCommands.Run(args);
