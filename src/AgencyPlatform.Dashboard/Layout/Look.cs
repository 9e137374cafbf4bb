using MudBlazor;

namespace AgencyPlatform.Dashboard.Layout;

/// <summary>Colours and type, in one place. Text has a contrast of at least 4.5 : 1 on what it stands on, light and dark.</summary>
internal static class Look
{
    private static readonly string[] s_font = ["Inter", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"];

    public static MudTheme Theme { get; } = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#4338ca",
            Secondary = "#0f766e",
            Success = "#15803d",
            Warning = "#b45309",
            Error = "#b91c1c",
            Info = "#1d4ed8",
            AppbarBackground = "#1e1b4b",
            AppbarText = "#ffffff",
            Background = "#f8fafc",
            Surface = "#ffffff",
            DrawerBackground = "#ffffff",
            TextPrimary = "#0f172a",
            TextSecondary = "#475569",
            LinesDefault = "#e2e8f0",
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#a5b4fc",
            PrimaryContrastText = "#1e1b4b",
            Secondary = "#5eead4",
            SecondaryContrastText = "#042f2e",
            Success = "#4ade80",
            Warning = "#fbbf24",
            Error = "#fca5a5",
            Info = "#93c5fd",
            AppbarBackground = "#0f0e2a",
            AppbarText = "#ffffff",
            Background = "#0b1020",
            Surface = "#151b2e",
            DrawerBackground = "#0f1526",
            TextPrimary = "#e2e8f0",
            TextSecondary = "#a3b1c6",
            LinesDefault = "#29324a",
        },
        Typography = new Typography { Default = new DefaultTypography { FontFamily = s_font }, Button = new ButtonTypography { FontFamily = s_font, TextTransform = "none" } },
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "8px" },
    };
}
