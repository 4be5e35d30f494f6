//! Texts of reviews, by rating.

/// Titles and sentences of one rating.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opinion {
    pub(super) titles: [&'static str; 6],
    pub(super) sentences: [&'static str; 6],
}

/// One opinion for each rating, from 1 to 5.
pub(super) const OPINIONS: [Opinion; 5] = [
    Opinion {
        titles: [
            "Do not buy",
            "Back it goes",
            "Broken on arrival",
            "A waste of money",
            "Nothing like the picture",
            "Never again",
        ],
        sentences: [
            "It lasted two days.",
            "One half was missing, and the other half was scratched.",
            "I asked for my money back the same evening.",
            "It does not do the one thing that it is for.",
            "The smell alone is a reason to send it back.",
            "I have had better for a third of the price.",
        ],
    },
    Opinion {
        titles: [
            "Disappointed",
            "Expected more",
            "Looks better than it is",
            "Barely works",
            "Poorly made",
            "Would not buy again",
        ],
        sentences: [
            "It does its work, but only just.",
            "The idea is good, the making of it is not.",
            "After a month it shows its age.",
            "Smaller than I thought, and lighter than it should be.",
            "The instructions belong to something else.",
            "It took three letters until the missing part came.",
        ],
    },
    Opinion {
        titles: [
            "It is all right",
            "Neither good nor bad",
            "Fine for the price",
            "Good with a few flaws",
            "Does what it says",
            "Average",
        ],
        sentences: [
            "It is what one pays for.",
            "Some things about it are clever, some are careless.",
            "I use it, though I do not love it.",
            "It works once one knows how to hold it.",
            "The colour is not quite that of the picture.",
            "There are better ones, and there are worse.",
        ],
    },
    Opinion {
        titles: [
            "Good buy",
            "Very pleased",
            "Nearly perfect",
            "Solid",
            "Better than expected",
            "Recommended",
        ],
        sentences: [
            "It does what it should, day after day.",
            "Well made, and it feels like it.",
            "Only the packaging could be better.",
            "My sister wants one too.",
            "It needed a week of getting used to, and now I like it.",
            "Good value, and it looks the part.",
        ],
    },
    Opinion {
        titles: [
            "Wonderful",
            "The best I have had",
            "Exactly right",
            "Worth every cent",
            "A joy",
            "Bought a second one",
        ],
        sentences: [
            "I cannot think of anything to improve.",
            "It is in use every single day.",
            "Everybody who visits asks where it is from.",
            "It is even nicer than in the picture.",
            "I wish I had bought it years ago.",
            "Made with care, down to the last detail.",
        ],
    },
];

/// Sentences for reviews of any rating.
pub(super) const REMARKS: [&str; 8] = [
    "Delivery took three days.",
    "It came well packed.",
    "The parcel was left with a neighbour.",
    "Bought as a present.",
    "I compared four of them before.",
    "The merchant answered questions at once.",
    "Ordered on Monday, used on Friday.",
    "This is my second order here.",
];
